#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "integration/callback/server_harness.h"

namespace tw::callback {
namespace {

using fakes::HttpClient;
using std::chrono::milliseconds;

TEST_F(ServerTest, GivesTheHandlerTheTargetAsSentAndEveryRepeatedHeader) {
  handler.script = [](const HttpRequest& request, const std::stop_token&) {
    std::string seen = request.target + "|" + request.peer;
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Twice") seen += "|" + value;
    }
    return HttpResponse{200, {}, seen, false};
  };
  Start();
  HttpClient client(address);
  const auto reply = client.Do("GET", "/v1/a%2Fb?x=%41", {{"X-Twice", "one"}, {"X-Twice", "two"}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "/v1/a%2Fb?x=%41|127.0.0.1|one|two");
}

TEST_F(ServerTest, KeepsTheConnectionForFurtherRequests) {
  Start();
  HttpClient client(address);
  for (int i = 0; i < 50; ++i) {
    const auto reply = client.Do("POST", "/n", {}, std::to_string(i));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "POST /n " + std::to_string(i));
  }
}

TEST_F(ServerTest, AnswersARequestOnAnOpenConnectionAtOnce) {
  Start();
  HttpClient client(address);
  std::vector<std::chrono::steady_clock::duration> took;
  for (int i = 0; i < 200; ++i) {
    const auto sent = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.Do("GET", "/"));
    took.push_back(std::chrono::steady_clock::now() - sent);
  }
  std::sort(took.begin(), took.end());
  EXPECT_LT(took[took.size() / 4], milliseconds(2));  // not the median: other work may be in the way
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  ASSERT_TRUE(client.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.Read()->body, "GET /1 ");
  EXPECT_EQ(client.Read()->body, "GET /2 ");
}

TEST_F(ServerTest, TakesAChunkedBodyUpToTheLimit) {
  options.max_body = 10;
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_TRUE(client.Send(head + "5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"));
  EXPECT_EQ(client.Read()->body, "POST / abcdefghij");
  ASSERT_TRUE(client.Send(head + "5\r\nabcde\r\n6\r\nfghijk\r\n0\r\n\r\n"));
  EXPECT_EQ(client.Read()->status, 413);
  EXPECT_EQ(handler.handled, 1);
}

TEST_F(ServerTest, Refuses413BeforeReadingADeclaredBodyThatIsTooLarge) {
  options.max_body = 100;
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n"));
  const auto reply = client.Read();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413);
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerTest, RefusesAHeadOverItsLimit) {
  Start();
  for (const std::size_t size : {std::size_t{16'300}, std::size_t{20'000}, std::size_t{100'000}}) {
    HttpClient client(address);
    ASSERT_TRUE(client.Connect());
    client.Send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(size, 'a') + "\r\n\r\n");
    const auto reply = client.Read();
    ASSERT_TRUE(reply) << size;
    EXPECT_EQ(reply->status, size < 16'384 ? 200 : 431) << size;
  }
}

TEST_F(ServerTest, RefusesFramingThatTwoServersCouldReadDifferently) {
  Start();
  for (const std::string head :
       {"Host: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "Host: x\r\nHost: y\r\n",
        "Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Host: x\r\nContent-Length: +3\r\n",
        "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", "Host: x\r\nContent-Length : 3\r\n",
        "Host: x\r\nTransfer-Encoding : chunked\r\n", "Host: x\r\nX y: 1\r\n", ""}) {
    HttpClient client(address);
    ASSERT_TRUE(client.Connect());
    ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\n" + head + "\r\nabcd"));
    const auto reply = client.Read();
    if (reply) {
      EXPECT_EQ(reply->status, 400) << head;
    }
    EXPECT_TRUE(client.Ended()) << head;
  }
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerTest, RefusesFoldedHeadersAndControlCharactersInThem) {
  Start();
  for (const std::string head :
       {"X: 1\r\n 2\r\n", "Content-Length:\r\n 3\r\n", "Content-:          3\r\n Length\r\n",
        "Transfer-Encoding:            \r\n chunked\r\n", "X: 1\r\n\tContent-Length: 3\r\n", "X: a\rb: c\r\n",
        "X: a\x7f\r\n", "X: a\x0b\r\n"}) {
    HttpClient client(address);
    ASSERT_TRUE(client.Connect());
    ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\n" + head + "\r\nabcd"));
    const auto reply = client.Read();
    ASSERT_TRUE(reply) << head;
    EXPECT_EQ(reply->status, 400) << head;
    EXPECT_TRUE(client.Ended()) << head;
  }
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerTest, TakesAHeadThatComesInManyPieces) {
  handler.script = [](const HttpRequest& request, const std::stop_token&) {
    std::string seen;
    for (const auto& [name, value] : request.headers) seen += name + "=" + value.substr(0, 3) + ";";
    return HttpResponse{200, {}, seen, false};
  };
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(9000, 'a') +
                           "\r\nX-Empty:\r\nX-Wide:  \t b\r\n\r\n";
  for (std::size_t at = 0; at < head.size(); at += 700) {
    ASSERT_TRUE(client.Send(head.substr(at, 700)));
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_EQ(client.Read()->body, "Host=x;X-Long=aaa;X-Empty=;X-Wide=b;");
}

TEST_F(ServerTest, TakesNoChunksUnderHttp10) {
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  ASSERT_TRUE(client.Send("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  EXPECT_EQ(client.Read()->status, 400);
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerTest, HalfSentRequestsThatFillTheTableKeepNobodyOut) {
  options.connections = 4;
  Start();
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(std::make_unique<HttpClient>(address));
    ASSERT_TRUE(slow.back()->Connect() && slow.back()->Send("GET / HTTP/1.1\r\nHost: x\r\nX-Half: "));
  }
  std::this_thread::sleep_for(milliseconds(1200));
  HttpClient honest(address);
  const auto reply = honest.Do("GET", "/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
}

TEST_F(ServerTest, Answers503WhenEveryWorkerAndTheQueueAreTaken) {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  options.workers = 1;
  options.queue = 1;
  handler.script = [&](const HttpRequest&, const std::stop_token&) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open; });
    return HttpResponse{};
  };
  Start();
  HttpClient first(address);
  HttpClient second(address);
  ASSERT_TRUE(first.Connect() && first.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (handler.handled == 0) std::this_thread::yield();
  ASSERT_TRUE(second.Connect() && second.Send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  int refused = 0;
  for (int i = 0; i < 2;
       ++i) {  // either the second or the third finds the queue full, in any case the fourth
    HttpClient other(address);
    ASSERT_TRUE(other.Connect() && other.Send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"));
    if (i == 1) refused = other.Read()->status;
  }
  EXPECT_EQ(refused, 503);
  {
    std::lock_guard lock(mutex);
    open = true;
  }
  changed.notify_all();
  EXPECT_EQ(first.Read()->status, 200);
}

TEST_F(ServerTest, CutsARequestThatIsDrippedPastItsDeadline) {
  options.request_timeout = milliseconds(300);
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nX-Drip: "));
  std::stop_source done;
  std::jthread dripper([&] {  // never silent, so that a time-out of inactivity would not fire
    while (!done.stop_requested() && client.Send("a")) std::this_thread::sleep_for(milliseconds(10));
  });
  EXPECT_TRUE(client.Ended());
  done.request_stop();
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerTest, CutsAConnectionThatSaysNothing) {
  options.request_timeout = milliseconds(200);
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect());
  EXPECT_TRUE(client.Ended());
}

TEST_F(ServerTest, DoesNotLimitConnectionsFromThisMachine) {
  options.connections_per_address = 2;
  options.listen = "0.0.0.0:0";
  Start();
  // Everything behind a local proxy comes from there.
  const std::string local = "127.0.0.1:" + address.substr(address.rfind(':') + 1);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<HttpClient>(local));
    ASSERT_EQ(clients.back()->Do("GET", "/")->status, 200);
  }
}

TEST_F(ServerTest, AFullTableMakesRoomForTheNewcomerByCuttingTheLongestSilent) {
  options.connections = 4;
  Start();
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(std::make_unique<HttpClient>(address));
    ASSERT_TRUE(silent.back()->Connect());
  }
  HttpClient honest(address);
  const auto reply = honest.Do("GET", "/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_TRUE(silent.front()->Ended());
}

TEST_F(ServerTest, StopLetsRequestsUnderWayFinish) {
  handler.script = [&](const HttpRequest&, const std::stop_token&) {
    std::this_thread::sleep_for(milliseconds(100));
    return HttpResponse{200, {}, "done", false};
  };
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect() && client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (handler.handled == 0) std::this_thread::yield();
  server->Stop(std::chrono::seconds(10));
  const auto reply = client.Read();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "done");
  HttpClient late(address);
  EXPECT_FALSE(late.Connect());
}

TEST_F(ServerTest, StopEndsAHandlerThatWaitsThroughItsToken) {
  handler.script = [](const HttpRequest&, const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::sleep_for(milliseconds(1));
    return HttpResponse{503, {}, "stopping", false};
  };
  Start();
  HttpClient client(address);
  ASSERT_TRUE(client.Connect() && client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (handler.handled == 0) std::this_thread::yield();
  server->Stop(milliseconds(20));
  EXPECT_EQ(client.Read()->status, 503);
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  Start();
  HttpClient client(address);
  const auto reply = client.Do("HEAD", "/status");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(client.Do("GET", "/next")->body, "GET /next ");
}

}  // namespace
}  // namespace tw::callback
