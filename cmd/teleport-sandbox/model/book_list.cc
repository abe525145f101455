// The reading half of the book: visibility, filters, order, pages, and lists that lag behind.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/book.h"

namespace tw::sandbox {
namespace {

bool ReviewedBy(const Request& request, const std::string& user) {
  return std::ranges::any_of(request.reviews, [&](const Review& r) { return r.author == user; });
}

bool InScope(Scope scope, const Request& request, const std::string& user) {
  switch (scope) {
    case Scope::kAll:
      return true;
    case Scope::kMine:
      return request.user == user;
    case Scope::kNeedsReview:
      return request.user != user && request.state == State::kPending && !ReviewedBy(request, user);
    case Scope::kReviewed:
      return request.user != user && ReviewedBy(request, user);
  }
  return true;
}

bool Mentions(const Request& request, const std::string& keyword) {
  const auto has = [&](std::string_view text) {
    return AsciiLower(text).find(AsciiLower(keyword)) != std::string::npos;
  };
  return has(request.id) || has(request.user) || std::ranges::any_of(request.roles, has) ||
         std::ranges::any_of(request.resources, [&](const Resource& r) { return has(r.name); });
}

bool Matches(const ListQuery& query, const Request& request, const std::string& caller) {
  if (!query.id.empty() && request.id != query.id) return false;
  if (!query.user.empty() && request.user != query.user) return false;
  if (query.state != State::kNone && request.state != query.state) return false;
  if (!InScope(query.scope, request, caller)) return false;
  return std::ranges::all_of(query.search, [&](const std::string& word) { return Mentions(request, word); });
}

// The text by which a list is ordered; the id makes it unique.
std::string SortKey(Sort sort, const Request& request) {
  switch (sort) {
    case Sort::kId:
      return request.id;
    case Sort::kCreated:
      return fmt::format("{:020}/{}", request.created.time_since_epoch().count(), request.id);
    case Sort::kState:
      return fmt::format("{}/{}", StateName(request.state), request.id);
    case Sort::kUser:
      return fmt::format("{}/{}", request.user, request.id);
  }
  return request.id;
}

using Keyed = std::pair<std::string, RequestPtr>;

Page CutPage(std::vector<Keyed>& found, const ListQuery& query) {
  const auto before = [&](const Keyed& a, const Keyed& b) {
    return query.descending ? a.first > b.first : a.first < b.first;
  };
  std::ranges::sort(found, before);
  auto first = found.begin();
  if (!query.start_key.empty()) {
    first = std::ranges::lower_bound(found, Keyed{query.start_key, nullptr}, before);
  }
  Page page;
  for (; first != found.end(); ++first) {
    if (query.limit > 0 && page.requests.size() == query.limit) {
      page.next_key = first->first;
      break;
    }
    page.requests.push_back(std::move(first->second));
  }
  return page;
}

}  // namespace

bool Book::Visible(const Caller& caller, const std::optional<Rights>& rights, const Request& request) const {
  if (caller.built_in_admin || request.user == caller.user) return true;
  return rights && (rights->SeesAll() || rights->MayReview(request.roles));
}

Answer<Page> Book::List(const Caller& caller, const ListQuery& query) {
  const std::optional<Rights> rights = users_.Find(caller.user);
  if (!caller.built_in_admin && ObeysDenyRules(release_) && rights) {
    for (const char* verb : {"list", "read"}) {
      if (rights->denied.contains(verb)) return RuleDenied(verb, "access_request");
    }
  }
  std::lock_guard lock(mutex_);
  const SystemTime now = clock_.Now();
  std::vector<Keyed> found;
  if (!query.id.empty()) {
    const auto one = requests_.find(query.id);
    if (one != requests_.end() && Visible(caller, rights, *one->second) &&
        Matches(query, *one->second, caller.user)) {
      found.emplace_back(SortKey(query.sort, *one->second), one->second);
    }
    return CutPage(found, query);
  }
  const Requests& view = ListViewLocked();
  const bool by_id = query.sort == Sort::kId && !query.descending;
  auto it = by_id && !query.start_key.empty() ? view.lower_bound(query.start_key) : view.begin();
  for (; it != view.end(); ++it) {
    const Request& request = *it->second;
    if (request.expires <= now || !Visible(caller, rights, request)) continue;
    if (!Matches(query, request, caller.user)) continue;
    found.emplace_back(SortKey(query.sort, request), it->second);
    if (by_id && query.limit > 0 && found.size() > query.limit) break;
  }
  return CutPage(found, query);
}

const Book::Requests& Book::ListViewLocked() {
  if (list_lag_.count() == 0) return requests_;
  const SteadyTime now = clock_.Steady();
  while (!late_changes_.empty() && late_changes_.front().when <= now) {
    const Change& change = late_changes_.front().change;
    if (change.kind == ChangeKind::kDelete) {
      late_view_.erase(change.id);
    } else {
      late_view_[change.id] = change.request;
    }
    late_changes_.pop_front();
  }
  return late_view_;
}

void Book::SetListLag(std::chrono::milliseconds lag) {
  std::lock_guard lock(mutex_);
  list_lag_ = lag;
  late_changes_.clear();
  late_view_ = lag.count() > 0 ? requests_ : Requests{};
}

}  // namespace tw::sandbox
