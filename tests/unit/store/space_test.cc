// Room on the disk: none left, little used, given back.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "contract/store_contract.h"

namespace tw::store {
namespace {

// Events of about 20 kB.
std::vector<Commitment> Large(int first, int count) {
  std::vector<Commitment> batch;
  for (int i = first; i < first + count; ++i) {
    Commitment commitment = MakeCommitment("r" + std::to_string(i), i);
    commitment.change.event->request.reason = std::string(20'000, 'x');
    batch.push_back(std::move(commitment));
  }
  return batch;
}

void DeliverAll(Store& store) {
  for (;;) {
    const auto claimed = *store.Claim("hook", kStart, 100, "me", kStart + hours(1));
    if (claimed.empty()) return;
    std::vector<AttemptRecord> records;
    for (const Delivery& delivery : claimed) records.push_back(Delivered(delivery.id));
    ASSERT_TRUE(store.Finish(records));
  }
}

// Everything is over, long ago and gone.
void SweepAll(Store& store) {
  while (*store.Sweep(kStart + hours(99), hours(1), 500)) {
  }
}

std::uintmax_t Size(const std::string& path) {
  return std::filesystem::file_size(path);
}

TEST(Space, AFullStoreRefusesWithPlainWordsKeepsNothingHalfAndGoesOnWhenThereIsRoom) {
  const TempDir dir;
  SqliteOptions options;
  options.most_pages = 500;
  auto store = *OpenSqliteStore(dir.path(), options);
  Status refused;
  int committed = 0;
  for (int i = 1; i < 1000; i += 10) {
    const auto result = store->Commit(Large(i, 10));
    if (!result) {
      refused = result.error();
      break;
    }
    committed += 10;
  }
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_NE(refused.error().message.find("no room left"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(refused.error().hint.empty());
  EXPECT_EQ(static_cast<int>(store->LiveIds()->size()), committed);
  EXPECT_EQ(store->Summaries()->front().pending, committed);
  EXPECT_FALSE(*store->Find("r" + std::to_string(committed + 1)));

  DeliverAll(*store);
  std::vector<Commitment> gone;
  for (int i = 1; i <= committed; ++i) gone.push_back(MakeGone("r" + std::to_string(i), i + 1));
  ASSERT_TRUE(store->Commit(gone)) << "small changes still fit";
  SweepAll(*store);
  const auto again = store->Commit(Large(committed + 1, 10));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(store->Summaries()->front().pending, 10);
}

// The soft limit on the size of files makes writes fail as on a full disk, and can be lifted again.
class SmallFiles {
 public:
  explicit SmallFiles(std::uintmax_t size) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{size, limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  void (*before_)(int);
};

TEST(Space, AWriteThatFailsHalfwayLeavesNothingBehindAndTheSameStoreGoesOn) {
  const TempDir dir;
  auto store = *OpenSqliteStore(dir.path());
  ASSERT_TRUE(store->Commit(Large(1, 5)));
  {
    const SmallFiles limit(Size(dir / "store.db-wal") + 50'000);
    const auto refused = store->Commit(Large(6, 5));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().retryable);
    EXPECT_EQ(store->LiveIds()->size(), 5U);
    EXPECT_FALSE(store->Commit(Large(6, 5))) << "still no room";
  }
  const auto again = store->Commit(Large(6, 5));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(store->LiveIds()->size(), 10U);
  store.reset();
  auto reopened = *OpenSqliteStore(dir.path());
  EXPECT_EQ(reopened->LiveIds()->size(), 10U);
  EXPECT_EQ(reopened->Summaries()->front().pending, 10);
}

TEST(Space, TheLogDoesNotGrowWithoutLimitAndTheFileShrinksAfterABacklog) {
  const TempDir dir;
  auto store = *OpenSqliteStore(dir.path());
  constexpr int kCount = 2'500;  // about 60 MB
  for (int i = 1; i <= kCount; i += 100) ASSERT_TRUE(store->Commit(Large(i, 100)));
  EXPECT_LT(Size(dir / "store.db-wal"), 24U << 20);
  EXPECT_GT(Size(dir / kStoreFile), 30U << 20);
  DeliverAll(*store);
  for (int i = 1; i <= kCount; i += 100) {
    std::vector<Commitment> gone;
    for (int r = i; r < i + 100; ++r) gone.push_back(MakeGone("r" + std::to_string(r), r + 1));
    ASSERT_TRUE(store->Commit(gone));
  }
  SweepAll(*store);
  store.reset();
  EXPECT_LT(Size(dir / kStoreFile), 4U << 20);
}

}  // namespace
}  // namespace tw::store
