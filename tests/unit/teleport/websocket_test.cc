#include "teleport/websocket.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "fakes/fake_random.h"

namespace tw::teleport {
namespace {

// Feeds `bytes` in pieces of `piece` and gathers what comes out: data as it is, control frames as
// <opcode:payload>.
std::string Decode(std::string bytes, std::size_t piece) {
  FrameReader reader;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::size_t used = at;
    const std::size_t end = std::min(bytes.size(), at + piece);
    while (used < end) {
      const auto step = reader.Next(bytes.data() + used, end - used);
      if (!step) return "error: " + step.error().message;
      used += step->taken;
      out += step->data;
      if (step->control)
        out += "<" + std::to_string(static_cast<int>(step->control->opcode)) + ":" + step->control->payload +
               ">";
    }
  }
  return out;
}

TEST(EncodeFrame, MasksWithZerosAndChoosesTheShortestLength) {
  EXPECT_EQ(HexEncode(EncodeFrame(Opcode::kBinary, "hi")), "8282000000006869");
  EXPECT_EQ(HexEncode(EncodeFrame(Opcode::kBinary, std::string(126, 'x'))).substr(0, 16), "82fe007e00000000");
  EXPECT_EQ(HexEncode(EncodeFrame(Opcode::kBinary, std::string(65536, 'x'))).substr(0, 28),
            "82ff000000000001000000000000");
}

TEST(FrameReader, ReadsTheExamplesOfTheRfcHoweverTheyAreCut) {
  // RFC 6455 section 5.7: a masked and an unmasked "Hello", a fragmented one, a ping.
  const std::string masked = HexDecode("818537fa213d7f9f4d5158").value();
  const std::string plain = HexDecode("810548656c6c6f").value();
  const std::string fragments = HexDecode("010348656c80026c6f").value();
  const std::string ping = HexDecode("890548656c6c6f").value();
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 100U}) {
    EXPECT_EQ(Decode(masked + plain + fragments, piece), "HelloHelloHello");
    EXPECT_EQ(Decode(plain + ping + plain, piece), "Hello<9:Hello>Hello");
  }
}

TEST(FrameReader, ReadsOurOwnFramesOfEveryLengthForm) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 100000U}) {
    const std::string payload(size, 'p');
    EXPECT_EQ(Decode(EncodeFrame(Opcode::kBinary, payload), 1000), payload);
  }
}

TEST(FrameReader, RefusesExtensionsLongControlFramesAndUnknownOpcodes) {
  EXPECT_TRUE(Decode(HexDecode("c20100").value(), 10).starts_with("error"));
  EXPECT_TRUE(Decode(HexDecode("897e007e").value(), 10).starts_with("error"));
  EXPECT_TRUE(Decode(HexDecode("8300").value(), 10).starts_with("error"));
  EXPECT_TRUE(Decode(HexDecode("0900").value(), 10).starts_with("error")) << "a fragmented ping";
}

TEST(Upgrade, AsksForAWebSocketAndChecksTheAnswer) {
  fakes::FakeRandom random;
  const UpgradeRequest request = MakeUpgradeRequest("proxy.example.com:443", random);
  EXPECT_TRUE(
      request.text.starts_with("GET /webapi/connectionupgrade HTTP/1.1\r\nHost: proxy.example.com:443\r\n"));
  const std::string good = "HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: " + request.accept +
                           "\r\nSec-WebSocket-Protocol: alpn-ping\r\n\r\n";
  EXPECT_TRUE(CheckUpgradeAnswer(good, request));
  const auto old = CheckUpgradeAnswer("HTTP/1.1 404 Not Found\r\n\r\n", request);
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().message.find("older than Teleport 15.1"), std::string::npos);
  EXPECT_FALSE(CheckUpgradeAnswer("HTTP/1.1 200 OK\r\n\r\n", request));
  EXPECT_FALSE(CheckUpgradeAnswer(
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n", request));
}

}  // namespace
}  // namespace tw::teleport
