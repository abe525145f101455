#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace load {

Client::Client(int port, const std::string& ca_file) : port_(port) {
  if (ca_file.empty()) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr) != 1) {
    std::fprintf(stderr, "%s: no certificate\n", ca_file.c_str());
    std::exit(1);
  }
}

Client::~Client() {
  Close();
}

void Client::Close() {
  ssl_.reset();
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool Client::Connect() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
  if (!context_) return true;
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  return SSL_connect(ssl_.get()) == 1;
}

long Client::Write(const char* data, std::size_t size) {
  return ssl_ ? SSL_write(ssl_.get(), data, static_cast<int>(size)) : send(fd_, data, size, MSG_NOSIGNAL);
}

long Client::Read(char* data, std::size_t size) {
  return ssl_ ? SSL_read(ssl_.get(), data, static_cast<int>(size)) : read(fd_, data, size);
}

bool Client::Put(std::string_view bytes) {
  return Write(bytes.data(), bytes.size()) == static_cast<long>(bytes.size());
}

bool Client::Gone() const {
  char byte = 0;
  const ssize_t got = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

int Client::Exchange(const std::string& request) {
  if (fd_ < 0 && !Connect()) {
    Close();
    return 0;
  }
  if (Write(request.data(), request.size()) != static_cast<long>(request.size())) {
    Close();
    return 0;
  }
  std::string answer;
  std::array<char, 16384> chunk{};
  for (;;) {
    const long got = Read(chunk.data(), chunk.size());
    if (got <= 0) {
      Close();
      return 0;
    }
    answer.append(chunk.data(), static_cast<std::size_t>(got));
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const char* length = strcasestr(answer.c_str(), "\r\ncontent-length:");
    const std::size_t body = length == nullptr ? 0 : std::strtoul(length + 17, nullptr, 10);
    if (answer.size() < end + 4 + body) continue;
    const int status = std::atoi(answer.c_str() + 9);
    if (strcasestr(answer.c_str(), "\r\nconnection: close") != nullptr) Close();
    return status;
  }
}

}  // namespace load
