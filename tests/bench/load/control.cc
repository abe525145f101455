#include "control.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace load {

std::string Control(const std::string& socket, const std::string& json) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const std::string line = json + "\n";
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::perror(socket.c_str());
    std::exit(1);
  }
  std::string answer;
  std::array<char, 65536> chunk{};
  while (answer.empty() || answer.back() != '\n') {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got <= 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  if (answer.find("\"ok\":true") == std::string::npos) {
    std::fprintf(stderr, "the sandbox says: %s\n", answer.c_str());
    std::exit(1);
  }
  return answer;
}

}  // namespace load
