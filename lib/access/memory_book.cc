#include "access/memory_book.h"

#include <algorithm>

namespace tw::access {
namespace {

constexpr std::size_t kMostGone = 10'000;

}  // namespace

Result<std::optional<KnownRequest>> MemoryBook::Find(const std::string& id) {
  const auto found = known_.find(id);
  if (found == known_.end()) return std::optional<KnownRequest>();
  return std::optional(found->second);
}

Result<std::vector<std::string>> MemoryBook::LiveIds() {
  std::vector<std::string> ids;
  for (const auto& [id, known] : known_) {
    if (!known.gone) ids.push_back(id);
  }
  return ids;
}

Status MemoryBook::FinishFirstSync() {
  first_sync_done_ = true;
  return {};
}

void MemoryBook::Keep(const KnownRequest& known) {
  const std::string& id = known.content.id;
  known_[id] = known;
  if (!known.gone) return;
  gone_.push_back(id);
  if (gone_.size() <= kMostGone) return;
  const auto half = gone_.begin() + static_cast<std::ptrdiff_t>(kMostGone / 2);
  std::for_each(gone_.begin(), half, [this](const std::string& old) {
    const auto found = known_.find(old);
    if (found != known_.end() && found->second.gone) known_.erase(found);
  });
  gone_.erase(gone_.begin(), half);
}

}  // namespace tw::access
