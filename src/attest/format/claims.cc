#include "attest/format/claims.h"

#include <limits>

#include "attest/check.h"
#include "attest/format/cbor.h"

namespace teetee::attest {
namespace {

constexpr uint64_t kFieldCount = 14;
constexpr uint64_t kSha256Id =
    1;  // hash id of the interoperable "pubkey-hash" (COSE and IANA named information: sha-256)

Bytes EncodeKeyHash(const Hash32& hash) {
  return CborWriter().Array(2).Uint(kSha256Id).ByteString(hash).Take();
}

// One order for writing and reading: keys by the bytes of their encoding, so by length first. `io`
// is a Writer or a Reader.
template <class Io, class ClaimsRef>
void EachField(Io& io, ClaimsRef& c) {
  io.Fixed("host", c.host);
  io.Number("slot", c.slot);
  io.Number("block", c.block_number);
  io.Fixed("model", c.model);
  io.Fixed("policy", c.policy_hash);
  io.Fixed("signer", c.signing_address);
  io.Fixed("boot-id", c.boot_id);
  io.Fixed("weights", c.weights_root);
  io.Number("chain-id", c.chain_id);
  io.Fixed("hpke-key", c.hpke_key);
  io.Fixed("registry", c.registry);
  io.Fixed("block-hash", c.block_hash);
  io.Number("block-time", c.block_time);
  io.KeyHash("pubkey-hash", c.tls_key_hash);
}

struct Writer {
  CborWriter out;
  template <size_t N>
  void Fixed(std::string_view key, const ByteArray<N>& value) {
    out.Text(key).ByteString(value);
  }
  void Number(std::string_view key, uint64_t value) { out.Text(key).Uint(value); }
  void KeyHash(std::string_view key, const Hash32& value) {
    out.Text(key).ByteString(EncodeKeyHash(value));
  }
};

// Stops at the first error; later fields are then skipped.
struct Reader {
  CborReader in;
  Status status = Ok{};

  Status Key(std::string_view key) {
    if (TT_TRY(in.Text()) != key) {
      return Error(Code::kInvalidArgument, "expected field '" + std::string(key) + "'");
    }
    return Ok{};
  }
  Status ReadFixed(std::string_view key, uint8_t* out, size_t size) {
    TT_RETURN_IF_ERROR(Key(key));
    ByteView value = TT_TRY(in.ByteString());
    if (value.size() != size) {
      return Error(Code::kInvalidArgument, "field '" + std::string(key) + "' has a wrong size");
    }
    std::memcpy(out, value.data(), size);
    return Ok{};
  }
  template <class T>
  Status ReadNumber(std::string_view key, T* out) {
    TT_RETURN_IF_ERROR(Key(key));
    uint64_t value = TT_TRY(in.Uint());
    if (value > std::numeric_limits<T>::max()) {
      return Error(Code::kInvalidArgument, "field '" + std::string(key) + "' is too large");
    }
    *out = static_cast<T>(value);
    return Ok{};
  }
  Status ReadKeyHash(std::string_view key, Hash32* out) {
    TT_RETURN_IF_ERROR(Key(key));
    CborReader inner(TT_TRY(in.ByteString()));
    TT_RETURN_IF_ERROR(inner.Expect(CborMajor::kArray, 2));
    TT_RETURN_IF_ERROR(inner.Expect(CborMajor::kUint, kSha256Id));
    ByteView value = TT_TRY(inner.ByteString());
    if (value.size() != out->size()) {
      return Error(Code::kInvalidArgument, "field '" + std::string(key) + "' has a wrong size");
    }
    std::memcpy(out->data(), value.data(), value.size());
    return inner.ExpectDone();
  }
  template <size_t N>
  void Fixed(std::string_view key, ByteArray<N>& value) {
    if (status) status = ReadFixed(key, value.data(), N);
  }
  template <class T>
  void Number(std::string_view key, T& value) {
    if (status) status = ReadNumber(key, &value);
  }
  void KeyHash(std::string_view key, Hash32& value) {
    if (status) status = ReadKeyHash(key, &value);
  }
};

}  // namespace

Bytes EncodeClaims(const Claims& claims) {
  Writer writer;
  writer.out.Map(kFieldCount);
  EachField(writer, claims);
  return writer.out.Take();
}

Result<Claims> DecodeClaims(ByteView cbor) {
  if (cbor.size() > kMaxClaims) return Refuse(check::kClaimsStructure, "claims are too long");
  Reader reader{CborReader(cbor)};
  if (auto head = reader.in.Expect(CborMajor::kMap, kFieldCount); !head) {
    return Refuse(check::kClaimsStructure, head.error());
  }
  Claims claims;
  EachField(reader, claims);
  if (reader.status) reader.status = reader.in.ExpectDone();
  if (!reader.status) return Refuse(check::kClaimsStructure, reader.status.error());
  return claims;
}

}  // namespace teetee::attest
