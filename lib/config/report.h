// What is wrong with a configuration: collected, so that all of it can be told at once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/document.h"

namespace tw::config {

struct Problem {
  std::string where;  // "teleport-webhooks.toml:12", an environment variable, a flag
  std::string key;    // "webhook.timeout"; empty: the text as a whole
  std::string what;
  std::string hint;  // what to write instead; may be empty
  // kConfig; kUsage when it came from the command line; kCredentials when a file that is named cannot be
  // read.
  ErrorKind kind = ErrorKind::kConfig;
  Place place;

  // "where: key: what; hint".
  std::string Text() const;
};

struct Report {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;

  // In the order of the text, what has no place last.
  void Sort();
};

}  // namespace tw::config
