// The rules of single keys and between keys, each by what a user sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_test_util.h"

namespace tw::config {
namespace {

using ::testing::AllOf;
using testing::Complete;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Input;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Texts;

std::vector<std::string> Problems(const std::string& text, Purpose purpose = Purpose::kServe) {
  return Texts(Load(Input(text, purpose)).problems);
}
std::vector<std::string> Warnings(const std::string& text, Purpose purpose = Purpose::kServe) {
  const LoadResult result = Load(Input(text, purpose));
  EXPECT_TRUE(result.settings) << result.ToError().message;
  return Texts(result.warnings);
}
EndpointSettings Endpoint(const std::string& more) {
  const LoadResult result =
      Load(Input("[webhook]\nwebhook_url = \"https://r.example.com/\"\n" + more, Purpose::kSend));
  EXPECT_TRUE(result.settings) << result.ToError().message;
  return result.settings ? result.settings->endpoints.at(0) : EndpointSettings{};
}
std::vector<std::string> EndpointProblems(const std::string& more) {
  return Problems("[webhook]\nwebhook_url = \"https://r.example.com/\"\n" + more, Purpose::kSend);
}

TEST(TeleportRules, TheThreeFilesComeTogether) {
  EXPECT_THAT(Problems("[teleport]\nclient_key = \"k\"\nclient_crt = \"c\"\n", Purpose::kTeleport),
              ElementsAre(HasSubstr("teleport.root_cas: is missing")));
  EXPECT_THAT(Problems("[teleport]\nclient_key = \"k\"\n", Purpose::kTeleport),
              ElementsAre(HasSubstr("together")));
}

TEST(TeleportRules, IdentityExcludesThem) {
  EXPECT_THAT(Problems(std::string(testing::kTriple) + "identity = \"i\"\n", Purpose::kTeleport),
              ElementsAre(HasSubstr("teleport.identity: excludes client_key, client_crt, root_cas")));
}

TEST(TeleportRules, AddressHasHostAndPort) {
  EXPECT_THAT(Problems("[teleport]\naddr = \"proxy.example.com\"\n", Purpose::kNothing),
              ElementsAre(AllOf(HasSubstr("port is missing"), HasSubstr("443"))));
  EXPECT_THAT(Problems("[teleport]\naddr = \":3025\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("names no host")));
  EXPECT_THAT(Problems("[teleport]\naddr = \"https://p:443\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("it is a URL")));
}

TEST(TeleportRules, BothNamesOfTheAddressMustAgree) {
  EXPECT_THAT(Problems("[teleport]\naddr = \"a:1\"\nauth_server = \"a:1\"\n", Purpose::kNothing), IsEmpty());
  EXPECT_THAT(Problems("[teleport]\naddr = \"a:1\"\nauth_server = \"b:1\"\n", Purpose::kNothing),
              ElementsAre(AllOf(HasSubstr("t.toml:3: teleport.auth_server"), HasSubstr("addr (t.toml:2)"))));
}

TEST(TeleportRules, ADurationNeedsAUnitAndASensibleSize) {
  EXPECT_THAT(Problems("[teleport]\nrefresh_interval = \"5\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("10s, 5m")));
  EXPECT_THAT(Problems("[teleport]\nrefresh_interval = \"1ms\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("from 1s to 24h")));
}

TEST(RequestStates, AreATableOrAListInAnyCase) {
  EXPECT_THAT(
      Endpoint("request_states = { pending = true, \"APPROVED\" = true, Denied = false }\n").request_states,
      ElementsAre("Pending", "Approved"));
  EXPECT_THAT(Endpoint("request_statuses = [\"denied\", \"*\"]\n").request_states,
              ElementsAre("Denied", "*"));
  EXPECT_THAT(Endpoint("").request_states, ElementsAre("Pending"));
}

TEST(RequestStates, BothSpellingsAreAnError) {
  EXPECT_THAT(
      EndpointProblems("request_states = [\"Pending\"]\nrequest_statuses = [\"Pending\"]\n"),
      ElementsAre(AllOf(HasSubstr("t.toml:4: webhook.request_statuses"), HasSubstr("keep request_states"))));
}

TEST(RequestStates, UnknownNamesAreErrorsWithASuggestion) {
  EXPECT_THAT(EndpointProblems("request_states = [\"Pendng\"]\n"),
              ElementsAre(HasSubstr("did you mean \"Pending\"?")));
  EXPECT_THAT(EndpointProblems("request_states = { Pending = 1 }\n"),
              ElementsAre(HasSubstr("must be true or false")));
  EXPECT_THAT(EndpointProblems("request_states = [\"Pending\", \"pending\"]\n"),
              ElementsAre(HasSubstr("twice")));
}

TEST(RequestStates, NoneAtAllIsAWarning) {
  EXPECT_THAT(Warnings("[webhook]\nwebhook_url = \"https://r/\"\nrequest_states = { Pending = false }\n",
                       Purpose::kSend),
              ElementsAre(HasSubstr("nothing will be sent")));
}

TEST(RequestStates, TheLineOfABadNameInsideALongListIsGiven) {
  EXPECT_THAT(EndpointProblems("request_states = [\n  \"Pending\",\n  \"Bogus\",\n]\n"),
              ElementsAre(HasSubstr("t.toml:5: webhook.request_states")));
}

TEST(Events, AreTypesWithOrWithoutTheirPrefix) {
  EXPECT_THAT(Endpoint("events = [\"approved\", \"access_request.Denied\"]\n").events,
              ElementsAre("access_request.approved", "access_request.denied"));
  EXPECT_THAT(EndpointProblems("events = [\"aproved\"]\n"),
              ElementsAre(HasSubstr("did you mean \"approved\"?")));
}

TEST(EndpointRules, PlainHttpGoesToLoopbackOnly) {
  const auto with = [](const std::string& url, const std::string& more = "") {
    return Problems("[webhook]\nwebhook_url = \"" + url + "\"\n" + more, Purpose::kSend);
  };
  EXPECT_THAT(with("http://127.0.0.1:9000/x"), IsEmpty());
  EXPECT_THAT(with("http://[::1]:9000/"), IsEmpty());
  EXPECT_THAT(with("http://r.example.com/CANARY"),
              ElementsAre(AllOf(HasSubstr("allow_http = true"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(with("http://r.example.com/", "allow_http = true\n"), IsEmpty());
  EXPECT_THAT(with("ftp://r.example.com/CANARY"),
              ElementsAre(AllOf(HasSubstr("neither https nor http"), Not(HasSubstr("CANARY")))));
}

TEST(EndpointRules, OneWayToAuthenticate) {
  EXPECT_THAT(
      EndpointProblems("bearer_token = \"tttttttttttttttt\"\nbasic_user = \"u\"\nbasic_password = \"p\"\n"),
      ElementsAre(HasSubstr("two ways to authenticate: basic_user and bearer_token")));
  EXPECT_THAT(EndpointProblems("bearer_token = \"t\"\nheaders = { authorization = \"x\" }\n"),
              ElementsAre(HasSubstr("the header Authorization")));
  EXPECT_THAT(Problems("[webhook]\nwebhook_url = \"https://u:p@r/\"\nbearer_token = \"t\"\n", Purpose::kSend),
              ElementsAre(HasSubstr("user info in webhook_url")));
  EXPECT_THAT(EndpointProblems("basic_user = \"u\"\n"), ElementsAre(HasSubstr("needs basic_password")));
}

TEST(EndpointRules, UserInfoOfTheUrlBecomesBasicAuthentication) {
  const LoadResult result = Load(Input("[webhook]\nwebhook_url = \"https://u:p%40@r/x\"\n", Purpose::kSend));
  ASSERT_TRUE(result.settings);
  const EndpointSettings& endpoint = result.settings->endpoints[0];
  EXPECT_EQ(endpoint.basic_user, "u");
  EXPECT_EQ(endpoint.basic_password.Reveal(), "p@");
  EXPECT_EQ(endpoint.url.user, "");
}

TEST(EndpointRules, SecretsAreCheckedByTheirScheme) {
  EXPECT_EQ(Endpoint(std::string("secret = \"") + testing::kSecret + "\"\n").secrets.size(), 1U);
  EXPECT_THAT(EndpointProblems("secret = \"CANARYhunter2\"\n"),
              ElementsAre(AllOf(HasSubstr("webhook.secret"), HasSubstr("whsec_"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(EndpointProblems("signature = \"github\"\nsecret = \"short\"\n"),
              ElementsAre(HasSubstr("at least 24")));
  EXPECT_EQ(Endpoint("signature = \"github\"\nsecret = \"a text of twenty-four bytes\"\n").signature,
            SignatureScheme::kGithub);
}

TEST(EndpointRules, OldSecretsFollowTheNewOne) {
  const std::string other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const auto secrets =
      Endpoint("old_secrets = [\"" + other + "\"]\nsecret = \"" + testing::kSecret + "\"\n").secrets;
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].Reveal(), testing::kSecret);
  EXPECT_EQ(secrets[1].Reveal(), other);
  EXPECT_THAT(EndpointProblems("old_secrets = [\"" + other + "\"]\n"),
              ElementsAre(HasSubstr("needs secret")));
}

TEST(EndpointRules, HeadersOfTheProgramAndTheConnectionAreRefused) {
  for (const char* name : {"Host", "content-length", "Content-Type", "Webhook-Id", "webhook-anything",
                           "Connection", "TE", "Transfer-Encoding", "CE-Id", "X-Hub-Signature-256"}) {
    EXPECT_THAT(EndpointProblems(std::string("headers = { \"") + name + "\" = \"CANARY\" }\n"),
                ElementsAre(AllOf(HasSubstr(name), Not(HasSubstr("CANARY")))))
        << name;
  }
  EXPECT_THAT(EndpointProblems("headers = { \"X Y\" = \"a\" }\n"),
              ElementsAre(HasSubstr("not a header name")));
  EXPECT_THAT(EndpointProblems("headers = { \"X-Y\" = \"CANARY\\nZ: 1\" }\n"),
              ElementsAre(AllOf(HasSubstr("control character"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(EndpointProblems("headers = { \"X-Y\" = \"a\", \"x-y\" = \"b\" }\n"),
              ElementsAre(HasSubstr("twice")));
  EXPECT_EQ(Endpoint("headers = { \"X-Api-Key\" = \"k\" }\n").headers.at(0).value.Reveal(), "k");
}

TEST(EndpointRules, TuningIsCheckedAgainstItself) {
  EXPECT_THAT(EndpointProblems("retry.initial = \"20m\"\n"), ElementsAre(HasSubstr("longer than retry.max")));
  EXPECT_THAT(EndpointProblems("concurrency = 0\n"), ElementsAre(HasSubstr("from 1 to 1024")));
  EXPECT_THAT(EndpointProblems("cert_file = \"c\"\n"), ElementsAre(HasSubstr("needs key_file")));
  EXPECT_EQ(Endpoint("[webhook.retry]\nmax = \"1m\"\n").retry.max, std::chrono::minutes(1));
}

TEST(EndpointRules, ProgramsRememberWhereTheyStand) {
  const auto endpoint = Endpoint("when = '.data.roles | index(\"dba\")'\n");
  ASSERT_TRUE(endpoint.when);
  EXPECT_EQ(endpoint.when->origin, "t.toml:3: webhook.when");
  EXPECT_EQ(endpoint.when->program, ".data.roles | index(\"dba\")");
  EXPECT_FALSE(endpoint.transform);
}

TEST(EndpointRules, ExtraEndpointsHaveUniqueUsableNamesAndUrls) {
  const std::string base = "[webhook]\nwebhook_url = \"https://r/\"\n";
  const LoadResult fine = Load(Input(
      base + "[[endpoint]]\nname = \"crm\"\nurl = \"https://c/\"\npayload = \"form\"\n", Purpose::kSend));
  ASSERT_TRUE(fine.settings);
  ASSERT_EQ(fine.settings->endpoints.size(), 2U);
  EXPECT_EQ(fine.settings->endpoints[1].name, "crm");
  EXPECT_EQ(fine.settings->endpoints[1].payload, PayloadKind::kForm);
  EXPECT_THAT(Problems(base + "[[endpoint]]\nname = \"default\"\nurl = \"https://c/\"\n", Purpose::kSend),
              ElementsAre(HasSubstr("\"default\" is taken ([webhook] has this name)")));
  EXPECT_THAT(Problems("[[endpoint]]\nname = \"a\"\nurl = \"https://c/\"\n[[endpoint]]\nname = \"a\"\nurl = "
                       "\"https://c/\"\n",
                       Purpose::kSend),
              ElementsAre(HasSubstr("t.toml:5: endpoint.a.name")));
  EXPECT_THAT(Problems("[[endpoint]]\nname = \"a b\"\nurl = \"https://c/\"\n", Purpose::kSend),
              ElementsAre(HasSubstr("not a usable name")));
  EXPECT_THAT(Problems("[[endpoint]]\nurl = \"https://c/\"\n", Purpose::kSend),
              ElementsAre(HasSubstr("endpoint[1].name: is missing")));
  EXPECT_THAT(Problems("[[endpoint]]\nname = \"a\"\n", Purpose::kSend),
              ElementsAre(HasSubstr("endpoint.a.url: is missing")));
}

TEST(EndpointRules, DeliveryKeysWithoutAnAddressAreWarnedAbout) {
  EXPECT_THAT(Warnings("[webhook]\ntimeout = \"5s\"\n[[endpoint]]\nname = \"a\"\nurl = \"https://c/\"\n",
                       Purpose::kSend),
              ElementsAre(HasSubstr("webhook.timeout: has no effect without webhook_url")));
}

TEST(HttpRules, ServeNeedsAuthenticationAndAnyMethodWillDo) {
  const std::string base = std::string(testing::kTriple) + "[webhook]\nwebhook_url = \"https://r/\"\n";
  EXPECT_THAT(Problems(base), ElementsAre(HasSubstr("http.basic_auth")));
  EXPECT_THAT(Problems(base + "notify_only = true\n"), IsEmpty());
  EXPECT_THAT(Problems(base + "callback_secret = \"" + testing::kSecret + "\"\n"), IsEmpty());
  EXPECT_THAT(Problems(base + "[http]\nbearer_token = \"0123456789abcdef\"\n"), IsEmpty());
  EXPECT_THAT(Problems(base + "[http.tls]\nclient_ca_file = \"ca\"\n"), IsEmpty());
  EXPECT_THAT(Problems(base + "[http]\npublic_addr = \"https://u:p@h\"\n"), IsEmpty());
  EXPECT_THAT(Problems(base + "[[callback.caller]]\nname = \"c\"\nbearer_token = \"0123456789abcdef\"\n"),
              IsEmpty());
  EXPECT_THAT(Warnings(base + "[http]\nallow_unauthenticated = true\n"),
              ElementsAre(HasSubstr("can approve access requests")));
}

TEST(HttpRules, PublicAddrIsAUrlAHostOrHostAndPort) {
  for (const char* address : {"https://h.example.com/cb", "h.example.com", "h.example.com:8081",
                              "1.2.3.4:8081", "[::1]:8081", "http://h"}) {
    const LoadResult result = Load(Input(std::string("[http]\npublic_addr = \"") + address + "\"\n"));
    ASSERT_TRUE(result.settings) << address << result.ToError().message;
    EXPECT_EQ(result.settings->http.public_addr, address);
  }
  EXPECT_THAT(Problems("[http]\npublic_addr = \"ftp://h\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("http.public_addr")));
}

TEST(HttpRules, CredentialsInPublicAddrTurnBasicAuthenticationOnAndVanish) {
  const LoadResult result =
      Load(Input("[http]\npublic_addr = \"https://user:pa%3Ass@h.example.com:8081/\"\n"));
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->http.public_addr, "https://h.example.com:8081/");
  EXPECT_EQ(result.settings->http.basic_user, "user");
  EXPECT_EQ(result.settings->http.basic_password.Reveal(), "pa:ss");
  EXPECT_THAT(Problems("[http]\npublic_addr = \"https://CANARY@h\"\n", Purpose::kNothing),
              ElementsAre(AllOf(HasSubstr("lacks the user or the password"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(Problems(Complete("[http]\npublic_addr = \"https://u:p@h\"\n")),
              ElementsAre(HasSubstr("so does basic_auth")));
}

TEST(HttpRules, PairsAreWhole) {
  EXPECT_THAT(Problems(Complete("[http]\nhttps_key_file = \"k\"\n")),
              ElementsAre(HasSubstr("needs https_cert_file")));
  const std::string base = std::string(testing::kTriple) + "[webhook]\nwebhook_url = \"https://r/\"\n";
  EXPECT_THAT(Problems(base + "[http.basic_auth]\nuser = \"u\"\n"),
              ElementsAre(HasSubstr("needs basic_auth.password")));
  EXPECT_THAT(Problems(base + "[http.basic_auth]\nuser = \"u\"\npassword = \"\"\n"),
              ElementsAre(HasSubstr("needs basic_auth.password")));
}

TEST(HttpRules, ClientCertificatesNeedTheirAuthorities) {
  EXPECT_THAT(Problems(Complete("[http.tls]\nverify_client_cert = true\n")),
              ElementsAre(HasSubstr("needs tls.client_ca_file")));
  EXPECT_THAT(Problems(Complete("[http.tls]\nallowed_names = [\"a\"]\n")),
              ElementsAre(HasSubstr("needs tls.client_ca_file")));
  LoadInput input = Input(Complete("[http.tls]\nclient_ca_file = \"ca\"\n"), Purpose::kServe);
  input.insecure_no_tls = true;
  EXPECT_THAT(Texts(Load(input).problems), ElementsAre(HasSubstr("--insecure-no-tls")));
}

TEST(HttpRules, ListenAddressesHaveFourForms) {
  for (const char* address : {":8081", "127.0.0.1:0", "[::1]:8081", "unix:/run/x.sock", "systemd"}) {
    EXPECT_THAT(Problems(std::string("[http]\nlisten_addr = \"") + address + "\"\n", Purpose::kNothing),
                IsEmpty())
        << address;
  }
  EXPECT_THAT(Problems("[http]\nlisten_addr = \"8081\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("\":8081\"")));
  EXPECT_THAT(Problems("[http]\nlisten_addr = \"unix:\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("no usable path")));
  EXPECT_THAT(Problems("[diagnostics]\nlisten_addr = \"systemd\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("only http.listen_addr takes a socket from systemd")));
  EXPECT_EQ(Load(Input("[diagnostics]\nlisten_addr = \"off\"\n")).settings.value().diagnostics_addr, "");
}

TEST(HttpRules, SizesAndRatesHaveUnits) {
  const auto http = [](const std::string& line) {
    return Load(Input("[http]\n" + line)).settings.value().http;
  };
  EXPECT_EQ(http("max_body = \"1MiB\"\n").max_body, 1024U * 1024U);
  EXPECT_EQ(http("max_body = \"2000B\"\n").max_body, 2000U);
  EXPECT_DOUBLE_EQ(http("rate_limit = \"30/m\"\n").rate_limit.value(), 0.5);
  EXPECT_FALSE(http("rate_limit = \"off\"\n").rate_limit);
  EXPECT_THAT(Problems("[http]\nmax_body = \"64\"\nrate_limit = \"20\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("64KiB"), HasSubstr("20/s")));
  EXPECT_THAT(Problems("[http]\nmax_body = \"1GiB\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("not a size")));
}

TEST(HttpRules, TrustedProxiesAreAddressesOrRanges) {
  EXPECT_THAT(
      Problems("[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"192.168.0.1\"]\n", Purpose::kNothing),
      IsEmpty());
  EXPECT_THAT(Problems("[http]\ntrusted_proxies = [\"10.0.0.0/33\"]\n", Purpose::kNothing),
              ElementsAre(HasSubstr("neither an address nor a range")));
  EXPECT_THAT(Problems("[http]\ntrusted_proxies = [\"proxy\"]\n", Purpose::kNothing),
              ElementsAre(HasSubstr("neither an address nor a range")));
}

TEST(CallbackRules, DelegatorIsOneOfThreeForms) {
  const auto callback = Load(Input("[callback]\ndelegator = \"fixed:Ops Desk\"\n")).settings.value().callback;
  EXPECT_EQ(callback.delegator, DelegatorSource::kFixed);
  EXPECT_EQ(callback.fixed_delegator, "Ops Desk");
  EXPECT_EQ(Load(Input("[callback]\ndelegator = \"auth\"\n")).settings.value().callback.delegator,
            DelegatorSource::kAuth);
  for (const std::string name : {"", " "}) {
    EXPECT_THAT(Problems("[callback]\ndelegator = \"fixed:" + name + "\"\n", Purpose::kNothing),
                ElementsAre(HasSubstr("fixed:NAME")));
  }
  EXPECT_THAT(Problems("[callback]\ndelegator = \"someone\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("fixed:NAME")));
}

TEST(CallbackRules, ACallerHasANameAndExactlyOneCredential) {
  const auto with = [](const std::string& lines) {
    return Problems(Complete("[[callback.caller]]\n" + lines));
  };
  EXPECT_THAT(
      with(
          "name = \"p\"\nhmac_secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\ndecisions = [\"Deny\"]\n"),
      IsEmpty());
  EXPECT_THAT(with("name = \"p\"\n"),
              ElementsAre(HasSubstr("callback.caller.p.name: this caller has no credential")));
  EXPECT_THAT(
      with("name = \"p\"\nbearer_token = \"0123456789abcdef\"\nbasic_user = \"x\"\nbasic_password = \"y\"\n"),
      ElementsAre(HasSubstr("several credentials")));
  EXPECT_THAT(with("bearer_token = \"0123456789abcdef\"\n"),
              ElementsAre(HasSubstr("callback.caller[1].name: is missing")));
  EXPECT_THAT(with("name = \"p\"\ncertificate_name = \"cn\"\n"),
              ElementsAre(HasSubstr("needs http.tls.client_ca_file")));
  EXPECT_THAT(with("name = \"p\"\nhmac_secret = \"CANARY\"\n"),
              ElementsAre(AllOf(HasSubstr("hmac_secret"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(with("name = \"p\"\nbearer_token = \"0123456789abcdef\"\ndecisions = [\"aprove\"]\n"),
              ElementsAre(HasSubstr("did you mean \"approve\"?")));
}

TEST(CallbackRules, CallersCannotShareACredential) {
  const std::string token = "bearer_token = \"0123456789abcdef\"\n";
  EXPECT_THAT(Problems(Complete("[[callback.caller]]\nname = \"a\"\n" + token +
                                "[[callback.caller]]\nname = \"b\"\n" + token)),
              ElementsAre(HasSubstr("callback.caller.b.bearer_token: is the same as another caller's")));
  EXPECT_THAT(
      Problems(Complete("[[callback.caller]]\nname = \"a\"\nbasic_user = \"u\"\nbasic_password = \"q\"\n")),
      ElementsAre(HasSubstr("callback.caller.a.basic_user: is the same")));
  const std::string secret = "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";
  EXPECT_THAT(Problems(Complete("[[callback.caller]]\nname = \"a\"\nhmac_" + secret, "callback_" + secret)),
              ElementsAre(HasSubstr("callback.caller.a.hmac_secret: is the same")));
}

TEST(CallbackRules, NoUserNameHoldsAColon) {
  EXPECT_THAT(
      Problems(Complete("[[callback.caller]]\nname = \"a\"\nbasic_user = \"u:v\"\nbasic_password = \"q\"\n")),
      ElementsAre(HasSubstr("callback.caller.a.basic_user: holds a colon")));
}

TEST(CallbackRules, GithubsSchemeNeedsHttps) {
  LoadInput input = Input(Complete("[callback]\nsignature = \"github\"\n"), Purpose::kServe);
  EXPECT_TRUE(Load(input).settings);
  input.insecure_no_tls = true;
  EXPECT_THAT(Texts(Load(input).problems), ElementsAre(HasSubstr("needs HTTPS")));
}

TEST(CallbackRules, WeakTokensAreWarnedAboutAndUnusableOnesRefused) {
  EXPECT_THAT(Warnings(Complete("[http]\nbearer_token = \"CANARY\"\n")),
              ElementsAre(AllOf(HasSubstr("can be guessed"), Not(HasSubstr("CANARY")))));
  EXPECT_THAT(Problems(Complete("[http]\nbearer_token = \"two words of some length\"\n")),
              ElementsAre(HasSubstr("no header can carry")));
}

TEST(CallbackRules, APublicKeyMayVerifyCallbacks) {
  EXPECT_THAT(Problems(Complete("[[callback.caller]]\nname = \"p\"\nhmac_secret = "
                                "\"whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=\"\n")),
              IsEmpty());
}

TEST(CallbackRules, CredentialsInTheClearAreWarnedAboutBeyondThisMachine) {
  const auto warnings = [](const std::string& listen) {
    LoadInput input = Input(Complete("[http]\nlisten_addr = \"" + listen + "\"\n"), Purpose::kServe);
    input.insecure_no_tls = true;
    return Texts(Load(input).warnings);
  };
  for (const char* listen : {":8081", "0.0.0.0:1", "[::]:1", "192.0.2.1:1"})
    EXPECT_THAT(warnings(listen), ElementsAre(HasSubstr("in the clear (--insecure-no-tls)"))) << listen;
  for (const char* listen : {"127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/run/x", "systemd"})
    EXPECT_THAT(warnings(listen), IsEmpty()) << listen;
  EXPECT_THAT(Texts(Load(Input(Complete(), Purpose::kServe)).warnings), IsEmpty());
}

TEST(NotifyOnly, MakesTheListenerKeysIrrelevant) {
  EXPECT_THAT(
      Problems(
          std::string(testing::kTriple) +
          "[webhook]\nwebhook_url = \"https://r/\"\nnotify_only = true\n[http]\nhttps_key_file = \"k\"\n"),
      IsEmpty());
}

TEST(NewKeys, AreNeverEmpty) {
  EXPECT_THAT(Problems("[webhook]\nsecret = \"\"\n[http]\nbearer_token = \"\"\n", Purpose::kNothing),
              ElementsAre(HasSubstr("webhook.secret: is empty"), HasSubstr("http.bearer_token: is empty")));
}

}  // namespace
}  // namespace tw::config
