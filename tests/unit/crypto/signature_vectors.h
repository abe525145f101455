// Keys, ids and bodies of the public test vectors (signing.md section A3).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace tw::crypto {

inline constexpr std::string_view kKey1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline constexpr std::string_view kKey2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
inline constexpr std::string_view kId1 = "msg_p5jXN8AQM9LWM0D4loKWxJek";
inline constexpr std::int64_t kTime1 = 1614265330;
inline constexpr std::string_view kBody1 = R"({"test": 2432232314})";
inline constexpr std::string_view kSignature1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
inline constexpr std::string_view kSeed = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
inline constexpr std::string_view kPair =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
inline constexpr std::string_view kGithubSecret = "It's a Secret to Everybody";
inline constexpr std::string_view kOut =
    R"({"ClusterName":"example.com","RequestID":"01890a5d-ac96-774b-bcce-b302099a8057","User":"alice",)"
    R"("Roles":["editor","access"],"CreatedAt":1614265330,"State":"Pending","NotifyOnly":false,)"
    R"("CallbackURL":"https://hooks.example.com:8081/"})";
inline constexpr std::string_view kIn =
    R"({"payload":{"ReqID":"01890a5d-ac96-774b-bcce-b302099a8057","State":"Approved","Delegator":"bob"}})";

inline SystemTime At(std::int64_t seconds) {
  return SystemTime(std::chrono::seconds(seconds));
}

}  // namespace tw::crypto
