#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "base/unique_fd.h"
#include "integration/callback/server_harness.h"

namespace tw::callback {
namespace {

using fakes::HttpClient;

class ListenerTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    std::string pattern = (std::filesystem::temp_directory_path() / "tw-listener-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override {
    ServerTest::TearDown();
    std::filesystem::remove_all(directory);
  }
  std::string Failure() {
    const auto bound = server->Start(options, handler);
    return bound ? "started" : bound.error().message;
  }

  std::filesystem::path directory;
};

TEST_F(ListenerTest, ServesBothFamiliesWhenNoHostIsNamed) {
  options.listen = ":0";
  Start();
  const std::string port = address.substr(address.rfind(':') + 1);
  HttpClient v4("127.0.0.1:" + port);
  ASSERT_TRUE(v4.Do("GET", "/"));
  HttpClient v6("[::1]:" + port);
  if (v6.Connect()) {
    EXPECT_EQ(v6.Do("GET", "/")->status, 200);
  }
}

TEST_F(ListenerTest, ServesIpv6Loopback) {
  options.listen = "[::1]:0";
  const auto bound = server->Start(options, handler);
  if (!bound) GTEST_SKIP() << "no IPv6 here: " << bound.error().message;
  HttpClient client(*bound);
  EXPECT_EQ(client.Do("GET", "/")->status, 200);
}

TEST_F(ListenerTest, ServesAnIpv4AddressWrittenAsIpv6) {
  options.listen = "[::ffff:127.0.0.1]:0";
  const auto bound = server->Start(options, handler);
  if (!bound && bound.error().message.find("not supported") != std::string::npos)
    GTEST_SKIP() << "no IPv6 here: " << bound.error().message;
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_TRUE(bound->starts_with("127.0.0.1:")) << *bound;
  HttpClient client(*bound);
  EXPECT_EQ(client.Do("GET", "/")->status, 200);
}

TEST_F(ListenerTest, TakesNoConnectionsWhileDescriptorsAreUsedUpAndSaysSoOnce) {
  Start();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  ASSERT_EQ(client.Do("GET", "/")->status, 200);
  // The sanitizer takes a pipe to look at objects of a kind that it has not seen yet.
  static_cast<Logger&>(log).Info(std::generic_category().message(EMFILE));
  const UniqueFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_EQ(::connect(late.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // who waited has gone by then
  const std::clock_t first = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
  const std::clock_t busy = std::clock() - first;  // of the processor
  const std::vector<std::string> lines = log.lines();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(busy, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(),
                    [](const std::string& line) { return line.find("LimitNOFILE") != std::string::npos; }),
      1);
  HttpClient again(address);
  EXPECT_EQ(again.Do("GET", "/")->status, 200);
}

TEST_F(ListenerTest, SaysWhenThePortIsTaken) {
  Start();
  auto other = LoadHttpServer(log);
  HttpServerOptions same;
  same.listen = address;
  const auto bound = (*other)->Start(same, handler);
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find("Address already in use"), std::string::npos);
  EXPECT_FALSE(bound.error().hint.empty());
}

TEST_F(ListenerTest, ServesAUnixSocketThatOthersCannotUseAndRemovesItAtTheEnd) {
  const std::string path = directory / "callback.sock";
  options.listen = "unix:" + path;
  handler.script = [](const HttpRequest& request, const std::stop_token&) {
    return HttpResponse{200, {}, request.peer, false};
  };
  Start();
  EXPECT_EQ(address, "unix:" + path);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);
  HttpClient client(address);
  EXPECT_EQ(client.Do("GET", "/")->body, "unix");
  server->Stop(std::chrono::milliseconds(0));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerTest, LetsTheGroupConnectWhateverTheUmask) {
  const std::string path = directory / "callback.sock";
  options.listen = "unix:" + path;
  const mode_t before = ::umask(0077);
  Start();
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0660U);
}

TEST_F(ListenerTest, ReplacesASocketThatACrashLeftBehind) {
  const std::string path = directory / "callback.sock";
  options.listen = "unix:" + path;
  Start();
  const std::string aside = directory / "aside.sock";
  std::filesystem::rename(path, aside);  // what a killed process leaves: a socket file without a listener
  server->Stop(std::chrono::milliseconds(0));
  std::filesystem::rename(aside, path);
  Start();
  HttpClient client(address);
  EXPECT_EQ(client.Do("GET", "/")->status, 200);
}

TEST_F(ListenerTest, LeavesALiveSocketAndOrdinaryFilesAlone) {
  const std::string path = directory / "callback.sock";
  options.listen = "unix:" + path;
  Start();
  auto other = LoadHttpServer(log);
  EXPECT_FALSE((*other)->Start(options, handler));
  HttpClient client(address);
  EXPECT_EQ(client.Do("GET", "/")->status, 200);

  const std::string file = directory / "notes.txt";
  std::ofstream(file) << "keep";
  HttpServerOptions onto_file;
  onto_file.listen = "unix:" + file;
  EXPECT_FALSE((*other)->Start(onto_file, handler));
  EXPECT_EQ(std::filesystem::file_size(file), 4U);
}

TEST_F(ListenerTest, NeedsASocketFromSystemdWhenToldSo) {
  options.listen = "systemd";
  ::unsetenv("LISTEN_FDS");
  EXPECT_NE(Failure().find("no socket was passed on"), std::string::npos);
}

TEST_F(ListenerTest, LeavesNoneOfSeveralSocketsFromSystemdUnserved) {
  options.listen = "systemd";
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "2", 1);
  for (const char* const names : {"", "a:b", "callback:callback", "a:b:callback"}) {
    ::setenv("LISTEN_FDNAMES", names, 1);
    EXPECT_NE(Failure().find("2 sockets were passed on"), std::string::npos) << names;
  }
  for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
}

}  // namespace
}  // namespace tw::callback
