#include <gtest/gtest.h>

#include "attest/check.h"
#include "attest/collateral/iso_time.h"
#include "attest/format/cbor.h"
#include "attest/format/claims.h"
#include "attest/format/evidence.h"
#include "attest/format/report_data.h"
#include "attest/format/tdx_quote.h"
#include "base/file.h"
#include "base/json.h"

namespace teetee::attest {
namespace {

constexpr char kDocument[] = "docs/formats/evidence.md";

std::string DocumentText() {
  auto bytes = ReadFile(kDocument);
  return bytes ? std::string(AsText(*bytes)) : std::string();
}

// The worked examples stand in the document itself, in its one block of JSON marked "vectors".
Json Vectors() {
  std::string text = DocumentText();
  constexpr std::string_view kMark = "```json vectors\n";
  size_t begin = text.find(kMark) + kMark.size();
  size_t end = text.find("\n```", begin);
  auto json = Json::Parse(std::string_view(text).substr(begin, end - begin));
  return json ? *json : Json();
}

Bytes Hex(const Json& json, std::string_view key) { return *FromHex(*json.GetString(key)); }

template <size_t N>
ByteArray<N> Fixed(const Json& json, std::string_view key) {
  return *FromHexFixed<N>(*json.GetString(key));
}

Claims VectorClaims(const Json& f) {
  Claims c;
  c.tls_key_hash = Fixed<32>(f, "tls_key_hash");
  c.hpke_key = Fixed<32>(f, "hpke-key");
  c.signing_address = Fixed<20>(f, "signer");
  c.model = Fixed<32>(f, "model");
  c.slot = static_cast<uint32_t>(*f.GetUint64("slot"));
  c.weights_root = Fixed<32>(f, "weights");
  c.chain_id = *f.GetUint64("chain-id");
  c.registry = Fixed<20>(f, "registry");
  c.host = Fixed<20>(f, "host");
  c.boot_id = Fixed<16>(f, "boot-id");
  c.policy_hash = Fixed<32>(f, "policy");
  c.block_number = *f.GetUint64("block");
  c.block_hash = Fixed<32>(f, "block-hash");
  c.block_time = *f.GetUint64("block-time");
  return c;
}

// Every byte of canonical claims but the values decides: of all single-bit changes only those in
// values may still decode, and then they decode to other claims.
TEST(Claims, RefusesWhatIsNotCanonical) {
  Bytes good = Hex(Vectors(), "claims");
  Claims claims = *DecodeClaims(good);
  for (size_t i = 0; i < good.size() * 8; ++i) {
    Bytes changed = good;
    changed[i / 8] ^= static_cast<uint8_t>(1 << i % 8);
    auto decoded = DecodeClaims(changed);
    if (decoded) {
      EXPECT_NE(*decoded, claims);
      EXPECT_EQ(EncodeClaims(*decoded), changed);
    } else {
      EXPECT_EQ(RefusedCheck(decoded.error()), "claims.structure");
    }
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeClaims(ByteView(good).first(size)));
  }
  good.push_back(0);
  EXPECT_FALSE(DecodeClaims(good));
}

TEST(Claims, RefusesLongNumbersMissingAndUnknownFields) {
  Bytes good = Hex(Vectors(), "claims");
  std::string text(AsText(good));
  auto refused = [](std::string changed) { return !DecodeClaims(AsBytes(changed)); };
  size_t slot = text.find("slot") + 4;
  ASSERT_EQ(text[slot], 1);
  std::string longer = text;
  longer.replace(slot, 1, std::string("\x18\x01", 2));  // 1 in two bytes
  EXPECT_TRUE(refused(longer));
  longer = text;
  longer.replace(slot, 1, std::string("\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 9));  // 2^32
  EXPECT_TRUE(refused(longer));
  std::string renamed = text;
  renamed.replace(text.find("slot"), 4, "slit");
  EXPECT_TRUE(refused(renamed));
  std::string fewer = text;
  fewer[0] = static_cast<char>(0xad);
  fewer.erase(slot - 5, 6);
  EXPECT_TRUE(refused(fewer));
  std::string more = text + std::string("\x62zz\x00", 4);
  more[0] = static_cast<char>(0xaf);
  EXPECT_TRUE(refused(more));
}

TEST(Evidence, RefusesOtherShapesAndBounds) {
  Bytes good = Hex(Vectors(), "extension");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeEvidence(ByteView(good).first(size)));
  }
  Bytes changed = good;
  changed[2] ^= 1;  // another tag
  EXPECT_FALSE(DecodeEvidence(changed));
  changed = good;
  changed.push_back(0);
  auto refused = DecodeEvidence(changed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(RefusedCheck(refused.error()), "evidence.structure");
  EXPECT_FALSE(EncodeEvidence(Evidence{Bytes(kMaxQuote + 1), {}}));
  EXPECT_FALSE(EncodeEvidence(Evidence{{}, Bytes(kMaxClaims + 1)}));
  EXPECT_FALSE(DecodeEvidence(Bytes(kMaxEvidence + 1)));
  Bytes claims_length = {0xd9, 0xea, 0x60, 0x82, 0x40, 0x5b, 0xff,
                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  EXPECT_FALSE(DecodeEvidence(claims_length));
}

TEST(Formats, WorkedExamplesHold) {
  Json v = Vectors();
  ASSERT_TRUE(v.is_object()) << "no vectors in " << kDocument;
  Claims claims = VectorClaims(**v.GetObject("fields"));
  Bytes encoded = Hex(v, "claims");
  EXPECT_EQ(EncodeClaims(claims), encoded);
  EXPECT_EQ(*DecodeClaims(encoded), claims);
  Evidence evidence{Hex(v, "quote"), encoded};
  EXPECT_EQ(*EncodeEvidence(evidence), Hex(v, "extension"));
  EXPECT_EQ(*DecodeEvidence(Hex(v, "extension")), evidence);
  EXPECT_EQ(CertificateReportData(encoded), Fixed<64>(v, "certificate_report_data"));

  const Json& channel = **v.GetObject("channel");
  ChannelBinding binding{ChannelRole::kServer, Fixed<32>(channel, "own_spki_hash"),
                         Fixed<32>(channel, "peer_spki_hash"), Fixed<32>(channel, "peer_nonce"),
                         Fixed<32>(channel, "exporter")};
  EXPECT_EQ(ChannelReportData(binding, encoded), Fixed<64>(channel, "report_data"));
  EXPECT_EQ(ExporterContext(binding.role, binding.peer_nonce),
            Fixed<33>(channel, "exporter_context"));
  const Json& join = **v.GetObject("join");
  EXPECT_EQ(JoinReportData(Fixed<32>(join, "digest")), Fixed<64>(join, "report_data"));
}

// Role, keys, nonce, exporter and claims each change layout (b), and swapping the keys does too.
TEST(Formats, ChannelReportDataBindsEveryPart) {
  ChannelBinding base{ChannelRole::kClient, {1}, {2}, {3}, {4}};
  Bytes claims = {5};
  std::vector<ReportData> seen = {ChannelReportData(base, claims),
                                  ChannelReportData(base, Bytes{6}), CertificateReportData(claims)};
  auto add = [&](auto change) {
    ChannelBinding b = base;
    change(b);
    seen.push_back(ChannelReportData(b, claims));
  };
  add([](auto& b) { b.role = ChannelRole::kServer; });
  add([](auto& b) { b.own_spki_hash[31] ^= 1; });
  add([](auto& b) { b.peer_spki_hash[31] ^= 1; });
  add([](auto& b) { b.peer_nonce[31] ^= 1; });
  add([](auto& b) { b.exporter[31] ^= 1; });
  add([](auto& b) { std::swap(b.own_spki_hash, b.peer_spki_hash); });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST(Formats, DocumentNamesEveryCheck) {
  std::string text = DocumentText();
  ASSERT_FALSE(text.empty());
  for (const Check& check : AllChecks()) {
    EXPECT_NE(text.find("| `" + std::string(check.id) + "` |"), std::string::npos) << check.id;
    EXPECT_EQ(RefusedCheck(Refuse(check, "x").Context("peer 2")), check.id);
  }
  EXPECT_EQ(RefusedCheck(Error(Code::kInternal, "something else")), "");
}

TEST(IsoTime, TakesOneFormOnly) {
  EXPECT_EQ(*ParseIsoTime("2025-06-19T10:16:03Z"), 1750328163);
  EXPECT_EQ(FormatIsoTime(1750328163), "2025-06-19T10:16:03Z");
  for (const char* bad : {"", "2025-06-19T10:16:03", "2025-06-19 10:16:03Z", "2025-02-30T00:00:00Z",
                          "2025-06-19T24:00:00Z", "1969-12-31T23:59:59Z", "2025-06-19T10:16:03ZZ",
                          "2025-06-19T10:16:60Z", "+025-06-19T10:16:03Z"}) {
    EXPECT_FALSE(ParseIsoTime(bad)) << bad;
  }
}

}  // namespace
}  // namespace teetee::attest
