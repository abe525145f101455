#include "store/sqlite_sweep.h"

#include <algorithm>
#include <vector>

#include "store/attempt_rules.h"
#include "store/sqlite_outbox.h"

namespace tw::store {
namespace {

// Free pages are kept for the next burst up to this many (1 MiB); above it the file shrinks in these steps.
constexpr std::int64_t kFreePagesKept = 256;
constexpr const char* kVacuumStep = "PRAGMA incremental_vacuum(256)";

std::vector<std::int64_t> Column(Query query) {
  std::vector<std::int64_t> values;
  while (query.Next()) values.push_back(query.Int(0));
  return values;
}

bool Full(std::size_t count, const SweepRules& rules) {
  return count >= rules.limit;
}

std::int64_t Limit(const SweepRules& rules) {
  return static_cast<std::int64_t>(rules.limit);
}

bool GoneRequests(Connection& connection, const SweepRules& rules) {
  const auto numbers =
      Column(Query(connection,
                   "SELECT number FROM request INDEXED BY request_gone WHERE gone_at < ?1 "
                   "AND NOT EXISTS (SELECT 1 FROM event WHERE event.request = request.number) LIMIT ?2",
                   rules.horizon(), Limit(rules)));
  for (const std::int64_t number : numbers)
    Query(connection, "DELETE FROM request WHERE number = ?1", number).Run();
  return Full(numbers.size(), rules);
}

bool Decisions(Connection& connection, const SweepRules& rules) {
  std::vector<std::int64_t> numbers;
  {
    // They are in the order of time, so the first that is young enough ends the search.
    Query query(connection, "SELECT number, at FROM decision ORDER BY number LIMIT ?1", Limit(rules));
    while (query.Next() && query.Time(1) < rules.horizon()) numbers.push_back(query.Int(0));
  }
  for (const std::int64_t number : numbers)
    Query(connection, "DELETE FROM decision WHERE number = ?1", number).Run();
  return Full(numbers.size(), rules);
}

bool Replays(Connection& connection, const SweepRules& rules) {
  Query(connection,
        "DELETE FROM replay WHERE (caller, webhook_id) IN (SELECT caller, webhook_id FROM replay "
        "INDEXED BY replay_forget WHERE forget_after < ?1 LIMIT ?2)",
        rules.now, Limit(rules))
      .Run();
  return connection.Changed();
}

bool Shrink(Connection& connection) {
  if (connection.Number("PRAGMA freelist_count") <= kFreePagesKept) return false;
  Query(connection, kVacuumStep).Run();
  return true;
}

// May an event be forgotten? Not while a delivery needs it, nor while its request lives: its id must not be
// reported a second time.
bool Forgettable(Connection& connection, std::int64_t event, std::int64_t request, SystemTime horizon) {
  return !Query(connection,
                "SELECT 1 FROM delivery INDEXED BY delivery_chain WHERE request = ?1 AND event = ?2 LIMIT 1",
                request, event)
              .Next() &&
         !Query(connection, "SELECT 1 FROM request WHERE number = ?1 AND (gone_at IS NULL OR gone_at >= ?2)",
                request, horizon)
              .Next();
}

}  // namespace

bool Sweeper::Step(GroupWriter::Access& access, const SweepRules& rules) {
  if (rules.limit == 0) return false;
  for (; stage_ != Stage::kEnd; stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1)) {
    if (Work(access, rules)) return true;
  }
  stage_ = Stage::kHeld;
  return false;
}

bool Sweeper::Work(GroupWriter::Access& access, const SweepRules& rules) {
  switch (stage_) {
    case Stage::kHeld:
      return GiveUpHeld(access, rules);
    case Stage::kDeliveries:
      return Deliveries(access, rules);
    case Stage::kEvents:
      return Events(access.connection, rules);
    case Stage::kRequests:
      return GoneRequests(access.connection, rules);
    case Stage::kBooks:
      return Decisions(access.connection, rules) || Replays(access.connection, rules);
    case Stage::kShrink:
      return Shrink(access.connection);
    case Stage::kEnd:
      break;
  }
  return false;
}

bool Sweeper::GiveUpHeld(GroupWriter::Access& access, const SweepRules& rules) {
  struct Endpoint {
    std::int64_t number;
    bool served;
  };
  std::vector<Endpoint> endpoints;
  {
    Query query(access.connection, "SELECT number, name, hold FROM endpoint WHERE pending > 0");
    while (query.Next()) {
      const bool served = rules.served.empty() || std::find(rules.served.begin(), rules.served.end(),
                                                            query.Text(1)) != rules.served.end();
      if (!served || query.Int(2) != 0) endpoints.push_back({query.Int(0), served});
    }
  }
  std::size_t given_up = 0;
  for (const Endpoint& endpoint : endpoints) {
    const auto ids = Column(Query(
        access.connection,
        "SELECT * FROM (SELECT id FROM delivery INDEXED BY delivery_ready WHERE head = 1 "
        "AND endpoint = ?1 AND waiting = 0 AND due < ?2 AND id NOT IN (SELECT delivery FROM lease) LIMIT ?3) "
        "UNION ALL "
        "SELECT * FROM (SELECT id FROM delivery INDEXED BY delivery_waiting WHERE waiting = 1 "
        "AND endpoint = ?1 AND created < ?2 AND id NOT IN (SELECT delivery FROM lease) LIMIT ?3)",
        endpoint.number, rules.horizon(), Limit(rules)));
    for (const std::int64_t id : ids)
      outbox::GiveUp(access, id, rules.now, ExpiredReason(rules.retain, endpoint.served));
    given_up += ids.size();
  }
  return given_up > 0;
}

bool Sweeper::Deliveries(GroupWriter::Access& access, const SweepRules& rules) {
  std::vector<std::int64_t> old;
  bool ended = true;
  {
    Query query(access.connection,
                "SELECT id, created, finished FROM delivery WHERE id > ?1 ORDER BY id LIMIT ?2", delivery_,
                Limit(rules));
    std::size_t seen = 0;
    while (query.Next() && query.Time(1) < rules.horizon()) {
      ++seen;
      delivery_ = query.Int(0);
      const auto finished = query.MaybeTime(2);
      if (finished && *finished < rules.horizon()) old.push_back(delivery_);
    }
    ended = seen < rules.limit;
  }
  for (const std::int64_t id : old) outbox::Remove(access, id);
  if (ended) delivery_ = 0;
  return !ended;
}

bool Sweeper::Events(Connection& connection, const SweepRules& rules) {
  struct Old {
    std::int64_t number;
    std::int64_t request;
  };
  std::vector<Old> old;
  bool ended = true;
  {
    Query query(connection,
                "SELECT number, request, created FROM event WHERE number > ?1 ORDER BY number LIMIT ?2",
                event_, Limit(rules));
    while (query.Next() && query.Time(2) < rules.horizon()) {
      event_ = query.Int(0);
      old.push_back({event_, query.Int(1)});
    }
    ended = !Full(old.size(), rules);
  }
  for (const Old& event : old) {
    if (Forgettable(connection, event.number, event.request, rules.horizon()))
      Query(connection, "DELETE FROM event WHERE number = ?1", event.number).Run();
  }
  if (ended) event_ = 0;
  return !ended;
}

}  // namespace tw::store
