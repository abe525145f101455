// Housekeeping in small steps. Internal to the SQLite adapter; throws StorageError.
#pragma once

#include <span>
#include <string>

#include "store/group_writer.h"
#include "store/store.h"

namespace tw::store {

struct SweepRules {
  SystemTime now;
  std::chrono::milliseconds retain;
  std::size_t limit;  // rows looked at in a step
  std::span<const std::string> served;
  SystemTime horizon() const { return now - retain; }
};

// Walks the tables by row number and remembers where it stopped, so that no index has to be kept for rows
// that are only looked at once in their life. Used within write transactions only; a rollback may leave it
// too far along, which the next round makes good.
class Sweeper {
 public:
  // True: more to do.
  bool Step(GroupWriter::Access& access, const SweepRules& rules);

 private:
  // In the order in which one makes work for the next.
  enum class Stage { kHeld, kDeliveries, kEvents, kRequests, kBooks, kShrink, kEnd };

  bool Work(GroupWriter::Access& access, const SweepRules& rules);  // one step of the present stage
  bool GiveUpHeld(GroupWriter::Access& access, const SweepRules& rules);
  bool Deliveries(GroupWriter::Access& access, const SweepRules& rules);
  bool Events(Connection& connection, const SweepRules& rules);

  Stage stage_ = Stage::kHeld;
  std::int64_t delivery_ = 0;  // last row looked at
  std::int64_t event_ = 0;
};

}  // namespace tw::store
