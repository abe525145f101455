// How fast is the store? store_bench DIR [deliveries]: DIR must be on the disk that is meant. One
// table; each figure is for one thread, events of about 700 bytes, one endpoint.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "access/event_json.h"
#include "store/sqlite_store.h"

namespace {

using namespace tw;
using namespace tw::store;
using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::size_t kBatch = 256;

SystemTime Now() {
  return std::chrono::floor<SystemTime::duration>(std::chrono::system_clock::now());
}
double Since(steady_clock::time_point start) {
  return duration<double>(steady_clock::now() - start).count();
}

template <class T>
T Must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}
void Must(Status status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().message);
  std::exit(1);
}

// Scattered ids, as Teleport's are before release 16: the harder case for the index.
std::string RequestId(std::size_t i) {
  const auto hash = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U;
  return fmt::format("{:08x}-{:04x}-4{:03x}-8000-{:012x}", hash >> 32, (hash >> 16) & 0xffff, hash & 0xfff,
                     i);
}

Commitment MakeCommitment(std::size_t i) {
  Commitment commitment;
  access::AccessRequest& request = commitment.change.known.content;
  request.id = RequestId(i);
  request.user = "alice";
  request.roles = {"dba", "admin"};
  request.state = access::RequestState::kPending;
  request.reason = "rotate the keys of the production database";
  request.created = Now();
  request.expires = Now() + std::chrono::hours(8);
  request.thresholds = {{"default", 1, 1, ""}};
  request.suggested_reviewers = {"carol"};
  commitment.change.known.seq = 1;
  access::Event event;
  event.type = access::EventType::kCreated;
  event.id = "evt_" + request.id;
  event.timestamp = Now();
  event.cluster = "example.com";
  event.seq = 1;
  event.request = request;
  event.web_url = "https://proxy.example.com/web/requests/" + request.id;
  commitment.change.event = std::move(event);
  commitment.endpoints = {"default"};
  return commitment;
}

std::vector<Commitment> MakeBatch(std::size_t first, std::size_t count) {
  std::vector<Commitment> batch;
  for (std::size_t i = first; i < first + count; ++i) batch.push_back(MakeCommitment(i));
  return batch;
}

std::vector<AttemptRecord> Delivered(const std::vector<Delivery>& deliveries) {
  std::vector<AttemptRecord> records;
  for (const Delivery& delivery : deliveries) {
    AttemptRecord record;
    record.delivery_id = delivery.id;
    record.status = DeliveryStatus::kDelivered;
    record.at = Now();
    record.http_status = 200;
    records.push_back(record);
  }
  return records;
}

class Bench {
 public:
  Bench(const std::string& dir, std::size_t deliveries)
      : dir_(dir + "/store-bench"), deliveries_(deliveries) {
    std::filesystem::remove_all(dir_);
    store_ = Must(OpenSqliteStore(dir_));
  }
  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Everything() {
    Report("record and event as bytes", deliveries_, [&] { Encode(); });
    Report("commit, claim, finish", deliveries_, [&] { Separate(); });
    Report("commit with claim, finish", deliveries_, [&] { Together(); });
    Report("look-up of an unknown request", deliveries_, [&] { LookUp(); });
    Single();
    Report("commit only (a queue builds up)", deliveries_ * 5, [&] { Queue(deliveries_ * 5); });
    Report("claim and finish from that queue", deliveries_, [&] { Drain(); });
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    fmt::print("{:<36} {:>10.1f} MiB\n", "peak memory", static_cast<double>(used.ru_maxrss) / 1024);
    fmt::print("{:<36} {:>10.1f} MiB\n", "database",
               static_cast<double>(std::filesystem::file_size(dir_ + "/store.db")) / 1048576);
    fmt::print("{:<36} {:>10.1f} MiB\n", "log",
               static_cast<double>(std::filesystem::file_size(dir_ + "/store.db-wal")) / 1048576);
  }

 private:
  template <class F>
  void Report(const char* what, std::size_t count, const F& work) {
    const auto start = steady_clock::now();
    const std::clock_t cpu = std::clock();
    work();
    const double spent = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    fmt::print("{:<36} {:>10.0f} /s   cpu {:>5.1f} us each\n", what,
               static_cast<double>(count) / Since(start), spent * 1e6 / static_cast<double>(count));
  }

  void Encode() {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < deliveries_; ++i)
      bytes += EventToJson(*MakeCommitment(i).change.event).size();
    if (bytes == 0) std::exit(1);
  }
  void Separate() {
    for (std::size_t done = 0; done < deliveries_; done += kBatch) {
      Must(store_->Commit(MakeBatch(Take(kBatch), kBatch)));
      const auto claimed =
          Must(store_->Claim("default", Now(), kBatch, "bench", Now() + std::chrono::minutes(1)));
      Must(store_->Finish(Delivered(claimed)));
    }
  }
  void Together() {
    for (std::size_t done = 0; done < deliveries_; done += kBatch) {
      const ClaimOnCommit claim{"bench", Now() + std::chrono::minutes(1), {{"default", kBatch}}};
      const auto committed = Must(store_->CommitAndClaim(MakeBatch(Take(kBatch), kBatch), claim));
      Must(store_->Finish(Delivered(committed.claimed)));
    }
  }
  void LookUp() {
    for (std::size_t i = 0; i < deliveries_; ++i) Must(store_->Find(RequestId(1'000'000'000 + i)));
  }
  void Single() {
    std::vector<double> times;
    for (int i = 0; i < 500; ++i) {
      const auto batch = MakeBatch(Take(1), 1);
      const auto start = steady_clock::now();
      const auto committed =
          Must(store_->CommitAndClaim(batch, {"bench", Now() + std::chrono::minutes(1), {{"default", 1}}}));
      times.push_back(Since(start) * 1e6);
      Must(store_->Finish(Delivered(committed.claimed)));
    }
    std::sort(times.begin(), times.end());
    fmt::print("{:<36} {:>10.0f} us p50, {:.0f} us p99\n", "commit of one event", times[250], times[495]);
  }
  void Queue(std::size_t count) {
    for (std::size_t done = 0; done < count; done += kBatch)
      Must(store_->Commit(MakeBatch(Take(kBatch), kBatch)));
  }
  void Drain() {
    for (std::size_t done = 0; done < deliveries_; done += kBatch) {
      const auto claimed =
          Must(store_->Claim("default", Now(), kBatch, "bench", Now() + std::chrono::minutes(1)));
      Must(store_->Finish(Delivered(claimed)));
    }
  }
  std::size_t Take(std::size_t count) { return std::exchange(next_, next_ + count); }

  std::string dir_;
  std::size_t deliveries_;
  std::size_t next_ = 0;
  std::unique_ptr<Store> store_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: store_bench DIR [deliveries]\n");
    return 2;
  }
  Bench bench(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000);
  bench.Everything();
}
