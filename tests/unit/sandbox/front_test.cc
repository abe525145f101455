// The parts of the proxy front that need no network.
#include <gtest/gtest.h>

#include "base/text.h"
#include "front/client_hello.h"
#include "front/tls_stream.h"
#include "front/web_socket.h"

namespace tw::sandbox {
namespace {

std::string Sized(std::size_t width, const std::string& bytes) {
  std::string out;
  for (std::size_t i = width; i-- > 0;) out += static_cast<char>(bytes.size() >> (8 * i));
  return out + bytes;
}

// A ClientHello with one unknown extension and ALPN.
std::string Hello(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) list += Sized(1, protocol);
  std::string extensions = std::string("\x12\x34", 2) + Sized(2, "xyz");
  if (!protocols.empty()) extensions += std::string("\0\x10", 2) + Sized(2, Sized(2, list));
  const std::string body = std::string("\x03\x03", 2) + std::string(32, 'r') + Sized(1, "session") +
                           Sized(2, std::string("\x13\x01", 2)) + Sized(1, std::string(1, '\0')) +
                           Sized(2, extensions);
  return std::string("\x01") + Sized(3, body);
}

std::string Record(const std::string& message) {
  return std::string("\x16\x03\x01") + Sized(2, message);
}

TEST(ClientHello, TellsTheOfferedProtocolsInOrder) {
  ClientHello hello;
  ASSERT_EQ(ParseClientHello(Record(Hello({"teleport-auth@78.teleport.cluster.local", "h2"})), hello),
            HelloState::kComplete);
  EXPECT_EQ(hello.protocols, (std::vector<std::string>{"teleport-auth@78.teleport.cluster.local", "h2"}));
}

TEST(ClientHello, MayOfferNone) {
  ClientHello hello;
  EXPECT_EQ(ParseClientHello(Record(Hello({})), hello), HelloState::kComplete);
  EXPECT_TRUE(hello.protocols.empty());
}

TEST(ClientHello, WaitsForTheRestAtEveryCut) {
  const std::string whole = Record(Hello({"h2"}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ClientHello hello;
    EXPECT_EQ(ParseClientHello(whole.substr(0, size), hello), HelloState::kIncomplete) << size;
  }
}

TEST(ClientHello, MayBeSpreadOverRecords) {
  const std::string message = Hello({"h2"});
  ClientHello hello;
  EXPECT_EQ(ParseClientHello(Record(message.substr(0, 10)) + Record(message.substr(10)), hello),
            HelloState::kComplete);
  EXPECT_EQ(hello.protocols, std::vector<std::string>{"h2"});
}

TEST(ClientHello, IsNotWhatAnotherProtocolSends) {
  ClientHello hello;
  EXPECT_EQ(ParseClientHello("GET / HTTP/1.1\r\n\r\n", hello), HelloState::kNotTls);
  EXPECT_EQ(ParseClientHello("SSH-2.0-x\r\n", hello), HelloState::kNotTls);
}

TEST(ClientHello, SurvivesLengthsThatLie) {
  const std::string whole = Record(Hello({"h2"}));
  for (std::size_t at = 9; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = '\xff';
    ClientHello hello;
    EXPECT_NE(ParseClientHello(broken, hello), HelloState::kIncomplete) << at;
  }
}

TEST(Route, NamesAClusterInHex) {
  EXPECT_EQ(ClusterOfRoute("teleport-auth@6578616d706c65.teleport.cluster.local"), "example");
  EXPECT_FALSE(ClusterOfRoute("h2").has_value());
  EXPECT_FALSE(ClusterOfRoute("teleport-auth@zz.teleport.cluster.local").has_value());
}

std::string Masked(const std::string& payload, const std::string& key) {
  std::string frame = std::string("\x82") + static_cast<char>(0x80U | payload.size()) + key;
  for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ key[i % 4]);
  return frame;
}

TEST(WebSocket, ComesOutAsItWentIn) {
  for (const std::size_t size : {0UL, 125UL, 126UL, 65535UL, 65536UL}) {
    for (const MaskHabit habit : {MaskHabit::kOld, MaskHabit::kNew}) {
      const std::string payload(size, 'p');
      FrameReader reader(habit);
      std::vector<Frame> frames;
      ASSERT_TRUE(reader.Feed(EncodeFrame(Opcode::kBinary, payload, habit), frames));
      ASSERT_EQ(frames.size(), 1U);
      EXPECT_EQ(frames[0].payload, payload);
      EXPECT_EQ(frames[0].opcode, Opcode::kBinary);
    }
  }
}

TEST(WebSocket, OldProxiesSetTheMaskBitOnTheirOwnFrames) {
  EXPECT_EQ(HexEncode(EncodeFrame(Opcode::kBinary, "x", MaskHabit::kOld)), "82810000000078");
  EXPECT_EQ(HexEncode(EncodeFrame(Opcode::kBinary, "x", MaskHabit::kNew)), "820178");
}

TEST(WebSocket, OldProxiesDoNotUnmaskSoThatOnlyAZeroKeyIsUnderstood) {
  for (const auto& [habit, key, understood] : {std::tuple{MaskHabit::kOld, std::string(4, '\0'), true},
                                               {MaskHabit::kOld, std::string("abcd"), false},
                                               {MaskHabit::kNew, std::string(4, '\0'), true},
                                               {MaskHabit::kNew, std::string("abcd"), true}}) {
    FrameReader reader(habit);
    std::vector<Frame> frames;
    ASSERT_TRUE(reader.Feed(Masked("hello", key), frames));
    EXPECT_EQ(frames.at(0).payload == "hello", understood);
  }
}

TEST(WebSocket, WaitsForTheRestOfAFrame) {
  const std::string frame = Masked("hello", "abcd");
  FrameReader reader(MaskHabit::kNew);
  std::vector<Frame> frames;
  for (const char byte : frame) {
    EXPECT_TRUE(frames.empty());
    ASSERT_TRUE(reader.Feed(std::string(1, byte), frames));
  }
  EXPECT_EQ(frames.at(0).payload, "hello");
}

TEST(WebSocket, RefusesFramesOfImpossibleSize) {
  FrameReader reader(MaskHabit::kNew);
  std::vector<Frame> frames;
  EXPECT_FALSE(reader.Feed(std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), frames));
}

// The example of RFC 6455 section 1.3.
TEST(WebSocket, AnswersTheKeyOfTheRfc) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace tw::sandbox
