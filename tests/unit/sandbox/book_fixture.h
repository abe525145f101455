// A book with a clock that tests drive, and everything it told its observer.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "fakes/fake_clock.h"
#include "model/book.h"

namespace tw::sandbox {

class BookFixture : public ::testing::Test {
 protected:
  explicit BookFixture(Release release = Release::k18) { Restart(release); }

  void Restart(Release release) {
    changes_.clear();
    users_ = std::make_unique<UserDirectory>(release);
    book_ = std::make_unique<Book>(release, clock_, random_, *users_,
                                   [this](const Change& change) { changes_.push_back(change); });
  }

  std::string Ask(const std::string& user, std::vector<std::string> roles,
                  std::vector<Threshold> thresholds = {}) {
    NewRequest wanted;
    wanted.user = user;
    wanted.roles = std::move(roles);
    wanted.thresholds = std::move(thresholds);
    const auto made = book_->Create({.user = user}, wanted);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    return made ? (*made)->id : "";
  }

  Answer<void> Set(const std::string& caller, const std::string& id, State state, std::string reason = {}) {
    StateChange change;
    change.id = id;
    change.state = state;
    change.reason = std::move(reason);
    return book_->SetState({.user = caller}, change);
  }

  Answer<RequestPtr> SubmitReview(const std::string& caller, const std::string& id, State state,
                                  std::string reason = {}) {
    ReviewSubmission submission;
    submission.id = id;
    submission.review.proposed = state;
    submission.review.reason = std::move(reason);
    return book_->SubmitReview({.user = caller}, submission);
  }

  std::vector<std::string> ListAs(const std::string& caller, ListQuery query = {}) {
    const auto page = book_->List({.user = caller}, query);
    std::vector<std::string> ids;
    if (page) {
      for (const auto& request : page->requests) ids.push_back(request->id);
    }
    return ids;
  }

  fakes::FakeClock clock_;
  SystemRandom random_;
  std::unique_ptr<UserDirectory> users_;
  std::unique_ptr<Book> book_;
  std::vector<Change> changes_;
};

template <class T>
void ExpectRefused(const Answer<T>& answer, Code code, const std::string& message) {
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, code) << answer.error().message;
  EXPECT_EQ(answer.error().message, message);
}

template <class T>
void ExpectCode(const Answer<T>& answer, Code code) {
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, code) << answer.error().message;
}

}  // namespace tw::sandbox
