#include "attest/provider/sim_quote.h"

#ifdef TEETEE_SIMULATED

#include "base/check.h"
#include "crypto/hash.h"

namespace teetee::attest::simulated {
namespace {

Bytes EncodeEnclaveReport(const EnclaveReport& r) {
  ByteWriter w;
  w.Raw(r.cpu_svn).Raw(r.misc_select).Zeros(28).Raw(r.attributes).Raw(r.mr_enclave).Zeros(32);
  w.Raw(r.mr_signer).Zeros(96).U16Le(r.isv_prod_id).U16Le(r.isv_svn).Zeros(60).Raw(r.report_data);
  TT_CHECK(w.size() == kEnclaveReportSize);
  return w.Take();
}

Bytes EncodeTdReport(const TdReport& r) {
  ByteWriter w;
  w.Raw(r.tee_tcb_svn).Raw(r.mr_seam).Raw(r.mr_signer_seam).Raw(r.seam_attributes);
  w.U64Le(r.td_attributes).U64Le(r.xfam).Raw(r.mrtd).Raw(r.mr_config_id);
  w.Raw(r.mr_owner).Raw(r.mr_owner_config);
  for (const Hash48& rtmr : r.rtmr) w.Raw(rtmr);
  w.Raw(r.report_data);
  if (r.is_15) w.Raw(r.tee_tcb_svn2).Raw(r.mr_service_td);
  TT_CHECK(w.size() == (r.is_15 ? kTdReport15Size : kTdReport10Size));
  return w.Take();
}

// Header, descriptor if version 5, body: what the attestation key signs.
Bytes EncodeSigned(const QuoteSpec& spec) {
  TT_CHECK(spec.version == 5 || (spec.version == 4 && !spec.td.is_15));
  ByteWriter w;
  w.U16Le(spec.version).U16Le(2).U32Le(static_cast<uint32_t>(TeeType::kTdx)).Zeros(4);
  w.Raw(kIntelQeVendor).Zeros(20);
  Bytes body = EncodeTdReport(spec.td);
  if (spec.version == 5) w.U16Le(spec.td.is_15 ? 3 : 2).U32Le(static_cast<uint32_t>(body.size()));
  return w.Raw(body).Take();
}

// Certification data of type 6: the quoting enclave's report, and the PCK chain that certifies it.
Bytes EncodeCertification(const QuoteSpec& spec, const crypto::P256PublicKey& attestation_key,
                          const crypto::P256Key& pck_key, std::string_view pck_chain) {
  ByteWriter bound;
  bound.Raw(attestation_key).Raw(spec.qe_auth_data);
  EnclaveReport qe = spec.qe;
  qe.report_data = spec.qe_report_data.value_or(JoinReportData(crypto::Sha256(bound.bytes())));
  Bytes report = EncodeEnclaveReport(qe);
  ByteWriter w;
  w.Raw(report).Raw(pck_key.Sign(report));
  w.U16Le(static_cast<uint16_t>(spec.qe_auth_data.size())).Raw(spec.qe_auth_data);
  w.U16Le(5).U32Le(static_cast<uint32_t>(pck_chain.size())).Raw(pck_chain);
  return w.Take();
}

}  // namespace

QuoteSpec HonestQuote(const Hash48& mrtd) {
  QuoteSpec out;
  out.td.tee_tcb_svn = {1, 1, 1};  // module SVN 1 of version 1, SEAM loader 1
  out.td.mr_seam = crypto::Sha384(AsBytes("TeeTee simulated TDX module"));
  out.td.td_attributes = kTdSeptVeDisable;
  out.td.xfam = 0xe7;  // x87, SSE, AVX, AVX-512
  out.td.mrtd = mrtd;
  out.qe.attributes[0] = 0x11;  // initialised, provisioning key: as Intel's
  out.qe.mr_enclave = crypto::Sha256(AsBytes("TeeTee simulated quoting enclave"));
  out.qe.mr_signer = crypto::Sha256(AsBytes("TeeTee simulated signer"));
  out.qe.isv_prod_id = 2;
  out.qe.isv_svn = 1;
  return out;
}

Bytes BuildQuote(const QuoteSpec& spec, const crypto::P256Key& pck_key,
                 std::string_view pck_chain) {
  crypto::P256Key attestation_key = crypto::P256Key::Generate();
  Bytes signed_bytes = EncodeSigned(spec);
  Bytes certification = EncodeCertification(spec, attestation_key.PublicKey(), pck_key, pck_chain);
  ByteWriter data;
  data.Raw(attestation_key.Sign(signed_bytes)).Raw(attestation_key.PublicKey());
  data.U16Le(6).U32Le(static_cast<uint32_t>(certification.size())).Raw(certification);
  ByteWriter out;
  out.Raw(signed_bytes).U32Le(static_cast<uint32_t>(data.size())).Raw(data.bytes());
  return out.Take();
}

}  // namespace teetee::attest::simulated

#endif  // TEETEE_SIMULATED
