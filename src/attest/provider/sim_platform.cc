#include "attest/provider/sim_platform.h"

#ifdef TEETEE_SIMULATED

#include "attest/collateral/iso_time.h"
#include "attest/format/der.h"
#include "attest/provider/sim_quote.h"
#include "crypto/random.h"

namespace teetee::attest::simulated {
namespace {

using crypto::Certificate;
using crypto::Issuer;
using crypto::P256Key;

// SEQUENCE { 1.2.840.113741.1.13.1.ARCS, value }
Bytes Field(std::initializer_list<uint8_t> arcs, const Bytes& value) {
  Bytes oid = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
  oid.insert(oid.end(), arcs);
  ByteWriter pair;
  pair.Raw(EncodeDer(DerTag::kOid, oid)).Raw(value);
  return EncodeDer(DerTag::kSequence, pair.bytes());
}

Bytes EncodeTcb(const SgxExtension& e) {
  ByteWriter fields;
  for (uint8_t i = 0; i < 16; ++i) {
    fields.Raw(Field({2, static_cast<uint8_t>(i + 1)}, EncodeDerUint(e.component_svns[i])));
  }
  fields.Raw(Field({2, 17}, EncodeDerUint(e.pce_svn)));
  fields.Raw(Field({2, 18}, EncodeDer(DerTag::kOctetString, e.component_svns)));
  return EncodeDer(DerTag::kSequence, fields.bytes());
}

Bytes EncodeSgxExtension(const SgxExtension& e) {
  ByteWriter fields;
  fields.Raw(Field({1}, EncodeDer(DerTag::kOctetString, e.ppid)));
  fields.Raw(Field({2}, EncodeTcb(e)));
  fields.Raw(Field({3}, EncodeDer(DerTag::kOctetString, e.pce_id)));
  fields.Raw(Field({4}, EncodeDer(DerTag::kOctetString, e.fmspc)));
  fields.Raw(Field({5}, EncodeDer(DerTag::kEnumerated, Bytes{1})));  // scalable
  return EncodeDer(DerTag::kSequence, fields.bytes());
}

crypto::CertificateSpec CaSpec(const std::string& name, const crypto::Validity& dates,
                               int64_t path) {
  crypto::CertificateSpec out;
  out.common_name = name;
  out.organization = "TeeTee development";
  out.validity = dates;
  out.is_ca = true;
  out.path_length = path;
  out.key_usage = {false, true, true};
  return out;
}

crypto::CertificateSpec LeafSpec(const std::string& name, const crypto::Validity& dates) {
  crypto::CertificateSpec out;
  out.common_name = name;
  out.organization = "TeeTee development";
  out.validity = dates;
  out.key_usage = {true, false, false};
  return out;
}

struct Keys {
  P256Key root = P256Key::Generate();
  P256Key ca = P256Key::Generate();
  P256Key pck = P256Key::Generate();
  P256Key signer = P256Key::Generate();
};

struct Certificates {
  Certificate root;
  Certificate ca;
  Certificate pck;
  Certificate signer;
};

Result<Certificates> IssueCertificates(const PlatformSpec& spec, const Keys& keys) {
  Certificate root =
      TT_TRY(crypto::BuildSelfSigned(CaSpec(spec.root_name, spec.root_dates, 1), keys.root));
  Issuer by_root{root, keys.root};
  Certificate ca = TT_TRY(crypto::BuildCertificate(CaSpec(spec.ca_name, spec.ca_dates, 0),
                                                   keys.ca.PublicKey(), by_root));
  crypto::CertificateSpec pck_spec = LeafSpec(spec.pck_name, spec.pck_dates);
  pck_spec.extensions = {{std::string(kSgxExtensionOid), EncodeSgxExtension(spec.pck), false}};
  Certificate pck =
      TT_TRY(crypto::BuildCertificate(pck_spec, keys.pck.PublicKey(), Issuer{ca, keys.ca}));
  Certificate signer = TT_TRY(crypto::BuildCertificate(
      LeafSpec(spec.signer_name, spec.signer_dates), keys.signer.PublicKey(), by_root));
  return Certificates{root, ca, pck, signer};
}

Json Components(const ByteArray<16>& svns) {
  Json out = Json::MakeArray();
  for (uint8_t svn : svns) out.Push(Json::MakeObject({{"svn", uint32_t{svn}}}));
  return out;
}

Json IsvLevels(uint32_t svn) {
  Json level = Json::MakeObject({{"tcb", Json::MakeObject({{"isvsvn", svn}})},
                                 {"tcbDate", "2026-01-01T00:00:00Z"},
                                 {"tcbStatus", "UpToDate"}});
  return Json::MakeArray().Push(level);
}

Json Module(const QuoteSpec& quote) {
  return Json::MakeObject({{"mrsigner", ToHex(quote.td.mr_signer_seam)},
                           {"attributes", ToHex(ByteArray<8>{})},
                           {"attributesMask", "ffffffffffffffff"}});
}

Json PlatformLevels(const SgxExtension& pck, const QuoteSpec& quote) {
  Json tcb = Json::MakeObject({{"sgxtcbcomponents", Components(pck.component_svns)},
                               {"pcesvn", uint32_t{pck.pce_svn}},
                               {"tdxtcbcomponents", Components(quote.td.tee_tcb_svn)}});
  Json level = Json::MakeObject(
      {{"tcb", tcb}, {"tcbDate", "2026-01-01T00:00:00Z"}, {"tcbStatus", "UpToDate"}});
  return Json::MakeArray().Push(level);
}

Json HonestTcbInfo(const SgxExtension& pck, const QuoteSpec& quote, const crypto::Validity& dates) {
  Json identity = Module(quote);
  identity.Set("id", "TDX_01").Set("tcbLevels", IsvLevels(quote.td.tee_tcb_svn[0]));
  return Json::MakeObject({{"id", "TDX"},
                           {"version", 3},
                           {"issueDate", FormatIsoTime(dates.not_before)},
                           {"nextUpdate", FormatIsoTime(dates.not_after)},
                           {"fmspc", ToHex(pck.fmspc)},
                           {"pceId", ToHex(pck.pce_id)},
                           {"tcbType", 0},
                           {"tcbEvaluationDataNumber", 1},
                           {"tdxModule", Module(quote)},
                           {"tdxModuleIdentities", Json::MakeArray().Push(identity)},
                           {"tcbLevels", PlatformLevels(pck, quote)}});
}

Json HonestQeIdentity(const QuoteSpec& quote, const crypto::Validity& dates) {
  return Json::MakeObject({{"id", "TD_QE"},
                           {"version", 2},
                           {"issueDate", FormatIsoTime(dates.not_before)},
                           {"nextUpdate", FormatIsoTime(dates.not_after)},
                           {"tcbEvaluationDataNumber", 1},
                           {"miscselect", ToHex(quote.qe.misc_select)},
                           {"miscselectMask", "ffffffff"},
                           {"attributes", ToHex(quote.qe.attributes)},
                           {"attributesMask", "ffffffffffffffffffffffffffffffff"},
                           {"mrsigner", ToHex(quote.qe.mr_signer)},
                           {"isvprodid", uint32_t{quote.qe.isv_prod_id}},
                           {"tcbLevels", IsvLevels(quote.qe.isv_svn)}});
}

void SetSigned(const std::string& name, const Json& document, const P256Key& key,
               const std::string& chain, Json* out) {
  std::string text = document.Dump();
  out->Set(name + "_issuer_chain", chain);
  out->Set(name, text);
  out->Set(name + "_signature", ToHex(key.Sign(AsBytes(text))));
}

Result<Bytes> IssueCollateral(const PlatformSpec& spec, const Keys& keys, const Certificates& c) {
  crypto::CrlSpec root_crl{spec.root_crl_dates, {}};
  if (spec.revoke_ca) root_crl.revoked.push_back(c.ca.serial());
  if (spec.revoke_signer) root_crl.revoked.push_back(c.signer.serial());
  crypto::CrlSpec pck_crl{spec.pck_crl_dates, {}};
  if (spec.revoke_pck) pck_crl.revoked.push_back(c.pck.serial());
  Bytes root_crl_der = TT_TRY(crypto::BuildCrl(root_crl, Issuer{c.root, keys.root}));
  Bytes pck_crl_der = TT_TRY(crypto::BuildCrl(pck_crl, Issuer{c.ca, keys.ca}));

  const P256Key& signer = spec.sign_documents_with_pck ? keys.pck : keys.signer;
  const Certificate& signer_certificate = spec.sign_documents_with_pck ? c.pck : c.signer;
  std::string chain = signer_certificate.ToPem() + c.root.ToPem();
  Json out = Json::MakeObject({{"pck_crl_issuer_chain", c.ca.ToPem() + c.root.ToPem()},
                               {"root_ca_crl", ToHex(root_crl_der)},
                               {"pck_crl", ToHex(pck_crl_der)}});
  SetSigned("tcb_info", spec.tcb_info, signer, chain, &out);
  SetSigned("qe_identity", spec.qe_identity, signer, chain, &out);
  return ToBytes(AsBytes(out.DumpPretty()));
}

}  // namespace

PlatformSpec HonestPlatform(const crypto::Validity& dates) {
  PlatformSpec out;
  out.root_dates = out.ca_dates = out.pck_dates = out.signer_dates = dates;
  out.root_crl_dates = out.pck_crl_dates = dates;
  out.pck.ppid = crypto::RandomArray<16>();
  out.pck.component_svns.fill(1);
  out.pck.pce_svn = 1;
  out.pck.fmspc = kFmspc;
  QuoteSpec quote = HonestQuote({});
  out.tcb_info = HonestTcbInfo(out.pck, quote, dates);
  out.qe_identity = HonestQeIdentity(quote, dates);
  return out;
}

Result<Platform> IssuePlatform(const PlatformSpec& spec) {
  Keys keys;
  Certificates c = TT_TRY(IssueCertificates(spec, keys));
  Bytes collateral = TT_TRY(IssueCollateral(spec, keys, c));
  return Platform{c.root, keys.pck, c.pck.ToPem() + c.ca.ToPem() + c.root.ToPem(),
                  std::move(collateral)};
}

}  // namespace teetee::attest::simulated

#endif  // TEETEE_SIMULATED
