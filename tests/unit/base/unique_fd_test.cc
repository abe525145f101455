#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace tw {
namespace {

int Open() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool IsOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesWhatItOwns) {
  const int fd = Open();
  { const UniqueFd owner(fd); }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFd, HandsOwnershipOverOnMove) {
  UniqueFd first(Open());
  const int fd = first.get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
  const int other = Open();
  UniqueFd third(other);
  third = std::move(second);
  EXPECT_EQ(third.get(), fd);
  EXPECT_FALSE(IsOpen(other));
}

TEST(UniqueFd, KeepsReleasedDescriptorsOpen) {
  UniqueFd owner(Open());
  const int fd = owner.Release();
  EXPECT_FALSE(owner);
  owner.Reset();
  EXPECT_TRUE(IsOpen(fd));
  ::close(fd);
}

}  // namespace
}  // namespace tw
