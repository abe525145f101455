// Shared by the tests of the configuration: files in memory, and loading from a text.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"

namespace tw::config::testing {

class MemoryFiles final : public Files {
 public:
  void Put(const std::string& path, std::string text, unsigned mode = 0600) {
    files_[path] = {std::move(text), mode};
  }

  Result<SourceText> Read(const std::string& path) const override {
    const auto found = files_.find(path);
    opened.push_back(path);
    if (found == files_.end())
      return Error{ErrorKind::kCredentials, "cannot read " + path + ": No such file or directory", "", true};
    return SourceText{path, found->second.first, found->second.second};
  }
  Status Readable(const std::string& path) const override {
    auto text = Read(path);
    if (!text) return text.error();
    return {};
  }

  mutable std::vector<std::string> opened;

 private:
  std::map<std::string, std::pair<std::string, unsigned>> files_;
};

inline LoadInput Input(std::string text, Purpose purpose = Purpose::kNothing) {
  LoadInput input;
  input.file = SourceText{"t.toml", std::move(text), 0600};
  input.purpose = purpose;
  return input;
}

inline std::vector<std::string> Texts(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.Text());
  return out;
}

// "where: key" of every problem.
inline std::vector<std::string> Keys(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.where + ": " + problem.key);
  return out;
}

inline constexpr const char* kTriple =
    "[teleport]\nclient_key = \"a.key\"\nclient_crt = \"a.crt\"\nroot_cas = \"a.cas\"\n";
inline constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// A configuration with which serve starts.
inline std::string Complete(const std::string& more = {}, const std::string& webhook = {}) {
  return std::string(kTriple) + "[webhook]\nwebhook_url = \"https://r.example.com/hook\"\n" + webhook +
         "[http.basic_auth]\nuser = \"u\"\npassword = \"p\"\n" + more;
}

}  // namespace tw::config::testing
