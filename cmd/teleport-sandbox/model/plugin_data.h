// Plugin data: small key/value sets that plugins keep beside a request. Facts: reference page section 2.10.
// All members: any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/book.h"

namespace tw::sandbox {

using DataMap = std::map<std::string, std::string>;

struct PluginData {
  std::string request;  // id
  SystemTime expires;   // one hour after the end of the request's access
  std::int64_t metadata_id = 0;
  std::map<std::string, DataMap> entries;  // by plugin
};

struct PluginDataUpdate {
  std::string kind;
  std::string request;
  std::string plugin;
  DataMap set;     // an empty value deletes the key
  DataMap expect;  // must equal what is stored; "" = must not exist
};

class PluginDataShelf {
 public:
  // Borrows all three for its life.
  PluginDataShelf(Clock& clock, const Book& book, const UserDirectory& users)
      : clock_(clock), book_(book), users_(users) {}

  Answer<void> Update(const Caller& caller, const PluginDataUpdate& update);
  // `request` and `plugin` empty: all.
  Answer<std::vector<PluginData>> Get(const Caller& caller, const std::string& kind,
                                      const std::string& request, const std::string& plugin);

 private:
  Answer<void> CheckRights(const Caller& caller, bool write) const;

  Clock& clock_;
  const Book& book_;
  const UserDirectory& users_;
  std::mutex mutex_;
  std::map<std::string, PluginData> data_;
  std::int64_t last_id_ = 0;
};

}  // namespace tw::sandbox
