// The smaller tables: requests seen, decisions, endpoint states, replayed callbacks. Internal to the SQLite
// adapter; throws StorageError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/group_writer.h"
#include "store/store.h"

namespace tw::store::books {

std::optional<access::KnownRequest> FindRequest(Connection& connection, const std::string& id);
std::vector<std::string> LiveIds(Connection& connection);
bool FirstSyncDone(Connection& connection);
void FinishFirstSync(Connection& connection);

void RememberDecision(Connection& connection, const access::Decision& decision, SystemTime at);
void WithdrawDecision(Connection& connection, const std::string& request_id, access::RequestState state);
std::optional<access::DecisionNote> FindDecision(Connection& connection, const std::string& request_id,
                                                 access::RequestState state);

std::optional<EndpointState> FindEndpoint(Connection& connection, const std::string& name);
void SaveEndpoint(GroupWriter::Access& access, const EndpointState& state);
std::vector<QueueSummary> Summaries(Connection& connection);

std::optional<ReplayAnswer> FindReplay(Connection& connection, const std::string& caller,
                                       const std::string& webhook_id);
void SaveReplay(Connection& connection, const std::string& caller, const std::string& webhook_id,
                const ReplayAnswer& answer, SystemTime forget_after);

}  // namespace tw::store::books
