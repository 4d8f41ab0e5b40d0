#include "attest/format/sgx_extension.h"

#include <bitset>

#include "attest/format/der.h"

namespace teetee::attest {
namespace {

// 1.2.840.113741.1.13.1, to which one arc per field is appended (all arcs are below 128, so one
// byte each).
constexpr uint8_t kBaseOid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
enum Arc : uint8_t { kPpid = 1, kTcb = 2, kPceId = 3, kFmspc = 4 };
constexpr uint8_t kTcbPceSvn = 17;
constexpr uint8_t kTcbCpuSvn = 18;

Error Bad(std::string_view what) {
  return Error(Code::kInvalidArgument, "SGX extension: " + std::string(what));
}

struct Field {
  uint8_t arc;  // the last arc of the OID
  DerItem value;
};

// SEQUENCE { OID parent.arc, value }
Result<Field> ReadField(ByteReader& in, ByteView parent) {
  ByteReader pair(TT_TRY(ReadDer(in, DerTag::kSequence)));
  ByteView oid = TT_TRY(ReadDer(pair, DerTag::kOid));
  if (oid.size() != parent.size() + 1 || !std::equal(parent.begin(), parent.end(), oid.begin())) {
    return Bad("foreign OID");
  }
  DerItem value = TT_TRY(ReadDer(pair));
  TT_RETURN_IF_ERROR(pair.ExpectDone("SGX extension field"));
  return Field{oid.back(), value};
}

Result<uint16_t> ToUint16(const DerItem& item) {
  ByteView v = item.value;
  if (item.tag != DerTag::kInteger || v.empty() || v.size() > 3 || v[0] >= 0x80) {
    return Bad("bad integer");
  }
  uint32_t out = 0;
  for (uint8_t byte : v) out = out << 8 | byte;
  if (out > 0xffff) return Bad("bad integer");
  return static_cast<uint16_t>(out);
}

template <size_t N>
Status CopyOctets(const DerItem& item, ByteArray<N>* out) {
  if (item.tag != DerTag::kOctetString || item.value.size() != N) return Bad("bad octet string");
  std::memcpy(out->data(), item.value.data(), N);
  return Ok{};
}

Status ReadTcb(const DerItem& tcb, SgxExtension* out) {
  if (tcb.tag != DerTag::kSequence) return Bad("TCB is no sequence");
  Bytes parent(std::begin(kBaseOid), std::end(kBaseOid));
  parent.push_back(kTcb);
  std::bitset<kTcbCpuSvn + 1> seen;
  ByteReader in(tcb.value);
  while (!in.done()) {
    Field field = TT_TRY(ReadField(in, parent));
    if (field.arc < 1 || field.arc > kTcbCpuSvn || seen[field.arc]) return Bad("bad TCB field");
    seen[field.arc] = true;
    if (field.arc == kTcbCpuSvn) continue;  // the raw form of the components
    uint16_t value = TT_TRY(ToUint16(field.value));
    if (field.arc == kTcbPceSvn) {
      out->pce_svn = value;
    } else {
      if (value > 0xff) return Bad("component SVN is too large");
      out->component_svns[field.arc - 1u] = static_cast<uint8_t>(value);
    }
  }
  if (seen.count() != kTcbCpuSvn) return Bad("TCB field missing");
  return Ok{};
}

}  // namespace

Result<SgxExtension> ParseSgxExtension(ByteView der) {
  ByteReader whole(der);
  ByteReader in(TT_TRY(ReadDer(whole, DerTag::kSequence)));
  TT_RETURN_IF_ERROR(whole.ExpectDone("SGX extension"));
  SgxExtension out;
  std::bitset<8> seen;
  while (!in.done()) {
    Field field = TT_TRY(ReadField(in, kBaseOid));
    if (field.arc < 1 || field.arc > 7 || seen[field.arc]) return Bad("bad field");
    seen[field.arc] = true;
    switch (field.arc) {
      case kPpid:
        TT_RETURN_IF_ERROR(CopyOctets(field.value, &out.ppid));
        break;
      case kTcb:
        TT_RETURN_IF_ERROR(ReadTcb(field.value, &out));
        break;
      case kPceId:
        TT_RETURN_IF_ERROR(CopyOctets(field.value, &out.pce_id));
        break;
      case kFmspc:
        TT_RETURN_IF_ERROR(CopyOctets(field.value, &out.fmspc));
        break;
      default:
        break;  // SGX type, platform instance, configuration
    }
  }
  if (!seen[kPpid] || !seen[kTcb] || !seen[kPceId] || !seen[kFmspc]) return Bad("field missing");
  return out;
}

}  // namespace teetee::attest
