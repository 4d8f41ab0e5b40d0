// The shared cases over real and synthetic evidence: every dcap case, its mutations applied,
// against its expected verdict.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "attest/check.h"
#include "attest/collateral/iso_time.h"
#include "attest/policy/appraise.h"
#include "attest/verify/verified_quote.h"
#include "base/file.h"
#include "base/json.h"
#include "crypto/x509.h"

namespace teetee::attest {
namespace {

std::string SharedFolder() {
  const char* set = std::getenv("TEETEE_SHARED");
  return (set != nullptr ? std::string(set) : std::string("../shared")) + "/attestation/";
}

bool SharedIsRequired() {
  const char* set = std::getenv("TEETEE_REQUIRE_SHARED");
  return set != nullptr && std::string_view(set) == "1";
}

// Quotes lie about as bytes or as hex text.
Bytes LoadQuote(const std::string& path) {
  Bytes bytes = *ReadFile(SharedFolder() + path);
  std::string_view text = AsText(bytes);
  while (text.ends_with('\n')) text.remove_suffix(1);
  auto decoded = FromHex(text);
  return decoded ? *decoded : bytes;
}

Json LoadJson(const std::string& path) {
  Bytes bytes = *ReadFile(SharedFolder() + path);
  return *Json::Parse(AsText(bytes));
}

void Replace(std::string* text, const std::string& old_text, const std::string& new_text) {
  size_t at = text->find(old_text);
  ASSERT_NE(at, std::string::npos);
  text->replace(at, old_text.size(), new_text);
}

struct Input {
  Bytes quote;
  Json collateral;
};

void Mutate(const Json& m, Input* input) {
  std::string op = *m.GetString("op");
  if (op == "xor") {
    input->quote.at(static_cast<size_t>(*m.GetUint64("offset"))) ^=
        static_cast<uint8_t>(*m.GetUint64("value"));
  } else if (op == "trunc") {
    input->quote.resize(static_cast<size_t>(*m.GetUint64("len")));
  } else if (op == "xorhex") {
    std::string field = *m.GetString("field");
    Bytes bytes = *FromHex(*input->collateral.GetString(field));
    bytes.at(static_cast<size_t>(*m.GetUint64("offset"))) ^=
        static_cast<uint8_t>(*m.GetUint64("value"));
    input->collateral.Set(field, ToHex(bytes));
  } else if (op == "set") {
    input->collateral.Set(*m.GetString("field"), *m.GetString("value"));
  } else if (op == "replace") {
    std::string text = *input->collateral.GetString(*m.GetString("field"));
    Replace(&text, *m.GetString("old"), *m.GetString("new"));
    input->collateral.Set(*m.GetString("field"), text);
  } else if (op == "copyfield") {
    Json from = LoadJson(*m.GetString("from"));
    for (const Json& field : (*m.GetArray("fields"))->as_array()) {
      input->collateral.Set(field.as_string(), *from.GetString(field.as_string()));
    }
  } else {
    ADD_FAILURE() << "unknown mutation " << op;
  }
}

// "2025-06-19T10:32:27+00:00"
int64_t WindowTime(std::string text) {
  Replace(&text, "+00:00", "Z");
  return *ParseIsoTime(text);
}

void CheckFields(const Json& expect, const VerifiedQuote& quote) {
  EXPECT_EQ(TcbStatusName(quote.status()), *expect.GetString("tcb_status"));
  EXPECT_EQ(TcbStatusName(quote.platform_status()), *expect.GetString("platform"));
  EXPECT_EQ(TcbStatusName(quote.qe_status()), *expect.GetString("qe"));
  const Json* module = *expect.Get("module");
  EXPECT_EQ(quote.module_status().has_value(), module->is_string());
  if (module->is_string() && quote.module_status()) {
    EXPECT_EQ(TcbStatusName(*quote.module_status()), module->as_string());
  }
  if (const Json* advisories = expect.Find("advisories")) {
    Json found = Json::MakeArray();
    for (const std::string& id : quote.advisories()) found.Push(id);
    EXPECT_EQ(found.Dump(), advisories->Dump());
  }
  if (const Json* window = expect.Find("valid_window")) {
    EXPECT_EQ(quote.window().not_before, WindowTime(window->as_array()[0].as_string()));
    EXPECT_EQ(quote.window().not_after, WindowTime(window->as_array()[1].as_string()));
  }
  if (expect.Find("fmspc") != nullptr) {
    EXPECT_EQ(ToHex(quote.fmspc()), *expect.GetString("fmspc"));
    EXPECT_EQ(ToHex(quote.ppid()), *expect.GetString("ppid"));
    EXPECT_EQ(ToHex(quote.quote().report_data()), *expect.GetString("report_data"));
  }
}

void CheckStrictPolicy(const Json& expect, const VerifiedQuote& quote) {
  Status attributes = AppraiseAttributes(quote);
  Status tcb = AppraiseTcb(quote, {TcbStatus::kUpToDate}, 0);
  bool accepted = attributes.has_value() && tcb.has_value();
  EXPECT_EQ(accepted, *expect.GetString("strict_policy") == "accept");
  if (!attributes) std::cout << "    " << attributes.error().message() << "\n";
  if (!tcb) std::cout << "    " << tcb.error().message() << "\n";
}

void RunCase(const Json& item) {
  Input input{LoadQuote(*item.GetString("quote")), LoadJson(*item.GetString("collateral"))};
  for (const Json& m : (*item.GetArray("mutations"))->as_array()) Mutate(m, &input);
  Bytes collateral = ToBytes(AsBytes(input.collateral.Dump()));
  std::vector<Hash32> roots = {kIntelRootSpkiHash};
  const Json* expect = *item.GetObject("expect");
  int64_t now = *ParseIsoTime(*item.GetString("now"));
  if (item.Find("root") != nullptr) {
    auto under_intel = VerifyQuote(input.quote, collateral, roots, now);
    ASSERT_FALSE(under_intel);
    EXPECT_EQ(RefusedCheck(under_intel.error()), "pck.root");
    Bytes der = *ReadFile(SharedFolder() + *item.GetString("root"));
    roots = {crypto::Certificate::FromDer(der)->spki_hash()};
  }
  auto verified = VerifyQuote(input.quote, collateral, roots, now);
  if (*expect->GetString("crypto") == "reject") {
    ASSERT_FALSE(verified);
    EXPECT_FALSE(RefusedCheck(verified.error()).empty()) << verified.error().message();
    std::cout << "  " << *item.GetString("id") << ": " << verified.error().message() << "\n";
    return;
  }
  ASSERT_TRUE(verified) << verified.error().message();
  std::cout << "  " << *item.GetString("id") << ": " << TcbStatusName(verified->status()) << "\n";
  CheckFields(*expect, *verified);
  CheckStrictPolicy(*expect, *verified);
}

TEST(Cases, AgreeWithTheSharedVerdicts) {
  if (!FileExists(SharedFolder() + "cases.json")) {
    ASSERT_FALSE(SharedIsRequired()) << "no shared data at " << SharedFolder();
    GTEST_SKIP() << "no shared data at " << SharedFolder();
  }
  Json cases = LoadJson("cases.json");
  size_t ran = 0;
  size_t skipped = 0;
  for (const Json& item : cases.as_array()) {
    if (*item.GetString("kind") != "dcap") {
      ++skipped;
      continue;
    }
    SCOPED_TRACE(*item.GetString("id"));
    RunCase(item);
    ++ran;
  }
  std::cout << "  " << ran << " dcap cases ran; " << skipped
            << " cases skipped: SEV-SNP and dstack are another verifier's\n";
  EXPECT_GE(ran, 70u);
}

}  // namespace
}  // namespace teetee::attest
