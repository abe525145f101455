// Callbacks as fast as a few keep-alive connections can make them, each deciding another pending request.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "client.h"
#include "numbers.h"
#include "verbs.h"

namespace load {
namespace {

std::string Base64(const unsigned char* data, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string KeyOf(const std::string& secret) {
  const std::string text = secret.substr(secret.find('_') + 1);
  std::string key(text.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  key.resize(static_cast<std::size_t>(size) - padding);
  return key;
}

// AUTH: "basic:USER:PASSWORD" or "hmac:SECRET".
class RequestMaker {
 public:
  explicit RequestMaker(const std::string& auth) {
    const std::string rest = auth.substr(auth.find(':') + 1);
    if (auth.starts_with("hmac:")) {
      key_ = KeyOf(rest);
    } else {
      basic_ = "Authorization: Basic " +
               Base64(reinterpret_cast<const unsigned char*>(rest.data()), rest.size()) + "\r\n";
    }
  }

  std::string Make(const std::string& id) const {
    const std::string body = R"({"request_id":")" + id + R"(","decision":"approve","reason":"bench"})";
    return "POST /v1/requests/" + id + "/approve HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
           "Content-Type: application/json\r\n" + (key_.empty() ? basic_ : Signature(id, body)) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  std::string Signature(const std::string& id, const std::string& body) const {
    const std::string time = std::to_string(std::time(nullptr));
    const std::string text = "bench-" + id + "." + time + "." + body;
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    return "webhook-id: bench-" + id + "\r\nwebhook-timestamp: " + time + "\r\nwebhook-signature: v1," +
           Base64(mac.data(), size) + "\r\n";
  }

  std::string key_;
  std::string basic_;
};

std::vector<std::string> Lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

// Prints: callbacks a second, p50 and p99 in milliseconds; any answer but 200 is a failure. "fresh": a
// connection for each, whose making counts.
int Callbacks(const Arguments& arguments) {
  const bool fresh = arguments.size() == 6 && arguments[5] == "fresh";
  if (arguments.size() != 5 && !fresh) return 2;
  const int port = std::atoi(arguments[0].c_str());
  const std::string ca_file = arguments[1] == "-" ? "" : arguments[1];
  const std::size_t threads = std::strtoul(arguments[2].c_str(), nullptr, 10);
  const RequestMaker maker(arguments[3]);
  const std::vector<std::string> ids = Lines(arguments[4]);

  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::map<int, int> answers;
  std::vector<double> times;
  const auto start = SteadyClock::now();
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      Client client(port, ca_file);
      for (std::size_t mine = next++; mine < ids.size(); mine = next++) {
        const auto sent = SteadyClock::now();
        const int status = client.Exchange(maker.Make(ids[mine]));
        const double took = SecondsSince(sent) * 1000;
        if (fresh) client.Close();
        const std::lock_guard lock(mutex);
        ++answers[status];
        times.push_back(took);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const double all = SecondsSince(start);
  for (const auto& [status, count] : answers) {
    if (status != 200) std::fprintf(stderr, "%d answers with status %d\n", count, status);
  }
  std::printf("%.0f %.3f %.3f\n", static_cast<double>(ids.size()) / all, Percentile(times, 0.5),
              Percentile(times, 0.99));
  return answers[200] == static_cast<int>(ids.size()) ? 0 : 1;
}

}  // namespace load
