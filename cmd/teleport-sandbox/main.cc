#include <cstdio>
#include <exception>

#include "cli/verbs.h"

int main(int argc, char** argv) {
  try {
    const auto line = tw::sandbox::ParseCommandLine(argc, argv);
    if (!line) return tw::sandbox::Fail(line.error());
    if (!line->help.empty()) {
      std::fputs(line->help.c_str(), stdout);
      return std::fflush(stdout) == 0 ? 0 : 1;
    }
    if (line->verb == "start") return tw::sandbox::RunStart(*line);
    if (line->verb == "receive") return tw::sandbox::RunReceive(*line);
    return tw::sandbox::RunClient(*line);
  } catch (const std::exception& problem) {
    return tw::sandbox::Fail(tw::Error::Failure(problem.what()));
  }
}
