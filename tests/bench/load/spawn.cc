// How long a command takes from its start to its end.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "numbers.h"
#include "verbs.h"

extern char** environ;

namespace load {

// Prints: the median in milliseconds. Output goes to /dev/null; a command that fails ends the measurement.
int Spawn(const Arguments& arguments) {
  if (arguments.size() < 2) return 2;
  const int runs = std::atoi(arguments[0].c_str());
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  constexpr int kWarmUp = 3;
  std::vector<double> times;
  for (int i = 0; i < runs + kWarmUp; ++i) {
    const auto start = SteadyClock::now();
    pid_t child = 0;
    int status = 0;
    if (posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
      std::perror(argv[0]);
      return 1;
    }
    waitpid(child, &status, 0);
    if (status != 0) {
      std::fprintf(stderr, "%s ended with status %d\n", argv[0], WEXITSTATUS(status));
      return 1;
    }
    if (i >= kWarmUp) times.push_back(SecondsSince(start) * 1000);
  }
  posix_spawn_file_actions_destroy(&actions);
  std::printf("%.2f\n", Percentile(times, 0.5));
  return 0;
}

}  // namespace load
