#include <gtest/gtest.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"

namespace teetee {
namespace {

TEST(Json, RefusesRepeatedKeys) {
  EXPECT_FALSE(Json::Parse(R"({"a":1,"b":{"c":1,"c":2}})"));
  EXPECT_TRUE(Json::Parse(R"({"a":1,"b":{"a":1,"c":2}})"));
}

TEST(Json, RefusesDeepAndLargeAndBrokenText) {
  EXPECT_FALSE(Json::Parse(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(Json::Parse(std::string(2u << 20, ' ')));
  for (const char* bad : {"", "{", "[1,]", "{\"a\"}", "nul", "\"\\x\"", "1 2", "\xff"}) {
    EXPECT_FALSE(Json::Parse(bad)) << bad;
  }
}

TEST(Json, ErrorsDoNotQuoteTheText) {
  auto r = Json::Parse("{\"secret prompt\" 1}");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message().find("secret"), std::string::npos);
}

TEST(Json, CanonicalSortsByUtf16AndEscapes) {
  auto v = Json::Parse("{\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2,\"a\":\"\\u0001\\/\\n\",\"B\":[true,null]}");
  ASSERT_TRUE(v);
  EXPECT_EQ(v->Canonical(), "{\"B\":[true,null],\"a\":\"\\u0001/\\n\",\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2}");
}

TEST(Json, WritesDoublesAsEcmaScriptDoes) {  // RFC 8785 appendix B
  const std::pair<double, const char*> cases[] = {
      {5e-324, "5e-324"}, {-5e-324, "-5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740992.0, "9007199254740992"}, {295147905179352830000.0, "295147905179352830000"},
      {9.999999999999997e22, "9.999999999999997e+22"}, {1e23, "1e+23"}, {999999999999999700000.0, "999999999999999700000"},
      {9.999999999999997e-7, "9.999999999999997e-7"}, {0.000001, "0.000001"}, {0.7, "0.7"}, {-0.0, "0"}, {333333333.3333332, "333333333.3333332"}};
  for (auto& [value, text] : cases) EXPECT_EQ(Json(value).Canonical(), text);
}

TEST(Json, KeepsIntegersExact) {
  auto v = Json::Parse("[18446744073709551615,-9223372036854775808,1.5]");
  ASSERT_TRUE(v);
  EXPECT_EQ(v->Dump(), "[18446744073709551615,-9223372036854775808,1.5]");
  EXPECT_FALSE(v->as_array()[0].ToInt64());
  EXPECT_FALSE(v->as_array()[1].ToUint64());
}

TEST(ByteReader, RefusesToReadPastTheEnd) {
  Bytes three = {1, 2, 3};
  ByteReader r(three);
  EXPECT_FALSE(r.U32Le());
  EXPECT_EQ(*r.U16Be(), 0x0102);
  EXPECT_FALSE(r.View(2));
  EXPECT_FALSE(r.ExpectDone("x"));
  EXPECT_EQ(*r.U8(), 3);
  EXPECT_TRUE(r.ExpectDone("x"));
}

TEST(Bytes, HexAndBase64RoundTripAndRefuse) {
  Bytes all;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(*FromHex(ToHex0x(all)), all);
    EXPECT_EQ(*FromBase64(ToBase64(all)), all);
    all.push_back(static_cast<uint8_t>(i));
  }
  EXPECT_FALSE(FromHex("0x1"));
  EXPECT_FALSE(FromHex("zz"));
  EXPECT_FALSE(FromBase64("a==="));
  EXPECT_FALSE(FromBase64("a b="));
  EXPECT_FALSE(FromHexFixed<4>("0x00"));
}

TEST(File, AtomicWriteKeepsModeAndBoundsReads) {
  std::string path = "/tmp/teetee_base_test_" + std::to_string(::getpid());
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("hello"), 0600));
  EXPECT_EQ(*ReadFile(path), ToBytes(AsBytes("hello")));
  EXPECT_FALSE(ReadFile(path, 4));
  ::unlink(path.c_str());
  EXPECT_EQ(ReadFile(path).error().code(), Code::kNotFound);
}

TEST(Result, CodesMapToDistinctExits) {
  EXPECT_EQ(HttpStatus(Code::kPaymentRequired), 402);
  EXPECT_EQ(OpenAiErrorType(Code::kInvalidArgument), "invalid_request_error");
  EXPECT_NE(ExitCode(Code::kNotFound), ExitCode(Code::kUnavailable));
}

}  // namespace
}  // namespace teetee
