#include "model/plugin_data.h"

#include <fmt/format.h>

#include <algorithm>

namespace tw::sandbox {
namespace {

constexpr std::chrono::hours kKeptAfterAccess{1};

Answer<void> CheckKind(const std::string& kind) {
  if (kind == "access_request") return {};
  return BadArgument(fmt::format(R"(unsupported resource kind "{}")", kind));
}

}  // namespace

Answer<void> PluginDataShelf::CheckRights(const Caller& caller, bool write) const {
  if (caller.built_in_admin) return {};
  const std::optional<Rights> rights = users_.Find(caller.user);
  for (const char* verb : write ? std::vector{"update"} : std::vector{"list", "read"}) {
    if (!rights || !(rights->AllowsPluginData(verb) || rights->Allows(verb))) {
      return RuleDenied(verb, "access_plugin_data");
    }
  }
  return {};
}

Answer<void> PluginDataShelf::Update(const Caller& caller, const PluginDataUpdate& update) {
  if (auto ok = CheckKind(update.kind); !ok) return ok;
  if (auto ok = CheckRights(caller, true); !ok) return ok;
  if (update.request.empty() || update.plugin.empty()) return BadArgument("missing resource or plugin name");
  const RequestPtr request = book_.Find(update.request);
  std::lock_guard lock(mutex_);
  auto stored = data_.find(update.request);
  if (stored == data_.end()) {
    if (!request) {
      return NotFound(
          fmt::format(R"(cannot set plugin data of access request "{}" (not found))", update.request));
    }
    stored = data_.try_emplace(update.request).first;
    stored->second.request = update.request;
    stored->second.expires = request->access_expires + kKeptAfterAccess;
  }
  const auto earlier = stored->second.entries.find(update.plugin);
  DataMap entry = earlier == stored->second.entries.end() ? DataMap{} : earlier->second;
  for (const auto& [key, value] : update.expect) {
    const auto found = entry.find(key);
    if ((found == entry.end() ? "" : found->second) != value) {
      return Refuse(Code::kFailedPrecondition, fmt::format(R"(expectations not met for field "{}")", key));
    }
  }
  for (const auto& [key, value] : update.set) {
    if (value.empty()) {
      entry.erase(key);
    } else {
      entry[key] = value;
    }
  }
  if (entry.empty()) {
    stored->second.entries.erase(update.plugin);
  } else {
    stored->second.entries[update.plugin] = std::move(entry);
  }
  const auto nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.Now().time_since_epoch()).count();
  last_id_ = std::max<std::int64_t>(last_id_ + 1, nanos);
  stored->second.metadata_id = last_id_;
  return {};
}

Answer<std::vector<PluginData>> PluginDataShelf::Get(const Caller& caller, const std::string& kind,
                                                     const std::string& request, const std::string& plugin) {
  if (auto ok = CheckKind(kind); !ok) return Refused(ok.error());
  if (auto ok = CheckRights(caller, false); !ok) return Refused(ok.error());
  std::lock_guard lock(mutex_);
  const SystemTime now = clock_.Now();
  std::erase_if(data_, [&](const auto& item) { return item.second.expires <= now; });
  std::vector<PluginData> found;
  for (const auto& [id, data] : data_) {
    if (!request.empty() && id != request) continue;
    PluginData copy = data;
    if (!plugin.empty())
      std::erase_if(copy.entries, [&](const auto& entry) { return entry.first != plugin; });
    if (!copy.entries.empty()) found.push_back(std::move(copy));
  }
  return found;
}

}  // namespace tw::sandbox
