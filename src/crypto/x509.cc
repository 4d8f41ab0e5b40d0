#include "crypto/x509.h"

#include <openssl/asn1.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <ctime>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/openssl_ptr.h"

namespace teetee::crypto {
namespace {

constexpr size_t kMaxSerial = 32;       // bytes; RFC 5280 allows 20, AMD and test chains vary
constexpr size_t kMaxExtensions = 64;   // per certificate
constexpr size_t kMaxRevoked = 100000;  // per CRL
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

// SubjectPublicKeyInfo of an uncompressed point on the named curve prime256v1, up to x. Comparing
// it whole leaves no room for explicit curve parameters.
constexpr uint8_t kP256SpkiPrefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

// AlgorithmIdentifier of ecdsa-with-SHA256; RFC 5758 section 3.2: parameters must be absent.
constexpr uint8_t kEcdsaSha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

struct ErrorQueueGuard {
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

Error Bad(std::string_view what, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return Error(Code::kInvalidArgument, std::string(what), file, line);
}

template <class T, class Encode>
Bytes EncodeDer(T* object, Encode encode) {
  uint8_t* der = nullptr;
  int size = encode(object, &der);
  TT_CHECK(size >= 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// The first element inside the outer SEQUENCE, with its header: tbsCertificate or tbsCertList, as
// received.
Result<ByteView> SignedPart(ByteView der) {
  const uint8_t* at = der.data();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  int flags = ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(der.size()));
  if ((flags & 0x81) != 0 || tag != V_ASN1_SEQUENCE) return Bad("DER: no outer sequence");
  const uint8_t* start = at;
  long left = length;
  flags = ASN1_get_object(&at, &length, &tag, &tag_class, left);
  if ((flags & 0x81) != 0 || tag != V_ASN1_SEQUENCE) return Bad("DER: no signed part");
  return ByteView(start, at + length);
}

Bytes DerElement(int tag, bool constructed, ByteView content) {
  Bytes out(static_cast<size_t>(
      ASN1_object_size(constructed ? 1 : 0, static_cast<int>(content.size()), tag)));
  uint8_t* at = out.data();
  ASN1_put_object(&at, constructed ? 1 : 0, static_cast<int>(content.size()), tag,
                  V_ASN1_UNIVERSAL);
  std::copy(content.begin(), content.end(), at);
  return out;
}

// The bytes around the signed part are covered by no signature, and OpenSSL reads more than one
// form of them (a BIT STRING with unused bits, long lengths). There is one DER form: build it and
// compare, so that nobody can change a byte of what a key has signed.
Status CheckEnvelope(ByteView der, ByteView signed_part, const ECDSA_SIG* signature) {
  Bytes bits = {0};  // unused bits
  Bytes value = EncodeDer(signature, i2d_ECDSA_SIG);
  bits.insert(bits.end(), value.begin(), value.end());
  bits = DerElement(V_ASN1_BIT_STRING, false, bits);
  Bytes content = ToBytes(signed_part);
  content.insert(content.end(), std::begin(kEcdsaSha256), std::end(kEcdsaSha256));
  content.insert(content.end(), bits.begin(), bits.end());
  Bytes expected = DerElement(V_ASN1_SEQUENCE, true, content);
  if (!std::equal(der.begin(), der.end(), expected.begin(), expected.end())) {
    return Bad("DER: not the canonical form around the signed part");
  }
  return Ok{};
}

struct SignedObject {
  Bytes signed_der;
  P256Signature signature{};
};

// Splits a certificate or CRL, which must be the one DER form of its parts.
Result<SignedObject> ReadSigned(ByteView der, const ASN1_BIT_STRING* bits) {
  const uint8_t* at = ASN1_STRING_get0_data(bits);
  EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &at, ASN1_STRING_length(bits)));
  SignedObject out;
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.signature.data(), 32) != 32 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.signature.data() + 32, 32) != 32) {
    return Bad("signature value is no ECDSA P-256 signature");
  }
  ByteView signed_part = TT_TRY(SignedPart(der));
  TT_RETURN_IF_ERROR(CheckEnvelope(der, signed_part, signature.get()));
  out.signed_der = ToBytes(signed_part);
  return out;
}

Status CheckAlgorithm(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  if (OBJ_obj2nid(oid) != NID_ecdsa_with_SHA256) {
    return Bad("signature algorithm is not ecdsa-with-SHA256");
  }
  return Ok{};
}

Result<int64_t> UnixTime(const ASN1_TIME* time) {
  std::tm tm{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return Bad("bad time");
  return static_cast<int64_t>(timegm(&tm));
}

Result<Bytes> Magnitude(const ASN1_INTEGER* serial) {
  BnPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (number == nullptr || BN_is_negative(number.get()) ||
      static_cast<size_t>(BN_num_bytes(number.get())) > kMaxSerial) {
    return Bad("bad serial number");
  }
  Bytes out(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), out.data());
  return out;
}

Result<std::string> CommonName(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return std::string();
  if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return Bad("two common names");
  uint8_t* text = nullptr;
  int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return Bad("bad common name");
  std::string out(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  if (out.size() > 256 || out.find('\0') != std::string::npos) return Bad("bad common name");
  return out;
}

std::string DottedOid(const ASN1_OBJECT* oid) {
  char text[128];
  int size = OBJ_obj2txt(text, sizeof text, oid, 1);
  return size > 0 && size < static_cast<int>(sizeof text) ? std::string(text) : std::string();
}

bool IsInterpretedExtension(std::string_view oid) {
  return oid == "2.5.29.15" || oid == "2.5.29.17" || oid == "2.5.29.19";
}

Result<std::vector<std::pair<std::string, Bytes>>> Extensions(const X509* x) {
  std::vector<std::pair<std::string, Bytes>> out;
  int count = X509_get_ext_count(x);
  if (count > static_cast<int>(kMaxExtensions)) return Bad("too many extensions");
  for (int i = 0; i < count; ++i) {
    X509_EXTENSION* extension = X509_get_ext(x, i);
    std::string oid = DottedOid(X509_EXTENSION_get_object(extension));
    if (oid.empty()) return Bad("bad extension OID");
    for (const auto& [seen, value] : out) {
      if (seen == oid) return Bad("repeated extension");
    }
    if (X509_EXTENSION_get_critical(extension) && !IsInterpretedExtension(oid)) {
      return Bad("critical extension that is not interpreted");
    }
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    const uint8_t* data = ASN1_STRING_get0_data(value);
    out.emplace_back(std::move(oid), Bytes(data, data + ASN1_STRING_length(value)));
  }
  return out;
}

const Bytes* FindExtension(const std::vector<std::pair<std::string, Bytes>>& all,
                           std::string_view oid) {
  for (const auto& [name, value] : all) {
    if (name == oid) return &value;
  }
  return nullptr;
}

Result<std::optional<KeyUsage>> ReadKeyUsage(const Bytes* value) {
  if (value == nullptr) return std::optional<KeyUsage>();
  const uint8_t* at = value->data();
  BitStringPtr bits(d2i_ASN1_BIT_STRING(nullptr, &at, static_cast<long>(value->size())));
  if (bits == nullptr || at != value->data() + value->size()) return Bad("bad keyUsage");
  return std::optional<KeyUsage>(KeyUsage{ASN1_BIT_STRING_get_bit(bits.get(), 0) == 1,
                                          ASN1_BIT_STRING_get_bit(bits.get(), 5) == 1,
                                          ASN1_BIT_STRING_get_bit(bits.get(), 6) == 1});
}

// The text between one pair of PEM marks, without white space.
Result<Bytes> DecodePemBody(std::string_view body) {
  std::string text;
  for (char c : body) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    text += c;
    if (text.size() > kMaxCertificate * 4 / 3 + 4) return Bad("PEM: certificate too long");
  }
  return FromBase64(text);
}

std::string_view SkipSpace(std::string_view text) {
  size_t at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

}  // namespace

// Fills the private fields; one place that may construct them.
struct X509Reader {
  static Status ReadKey(const X509* x, Certificate::Fields* f) {
    f->spki_der = EncodeDer(X509_get_X509_PUBKEY(x), i2d_X509_PUBKEY);
    constexpr size_t kPrefix = sizeof kP256SpkiPrefix;
    if (f->spki_der.size() != kPrefix + 64 ||
        std::memcmp(f->spki_der.data(), kP256SpkiPrefix, kPrefix) != 0) {
      return Bad("public key is not on P-256");
    }
    std::memcpy(f->public_key.data(), f->spki_der.data() + kPrefix, 64);
    f->spki_hash = Sha256(f->spki_der);
    return Ok{};
  }

  static Status ReadNames(const X509* x, Certificate::Fields* f) {
    f->subject_cn = TT_TRY(CommonName(X509_get_subject_name(x)));
    f->issuer_cn = TT_TRY(CommonName(X509_get_issuer_name(x)));
    f->subject_der = EncodeDer(X509_get_subject_name(x), i2d_X509_NAME);
    f->issuer_der = EncodeDer(X509_get_issuer_name(x), i2d_X509_NAME);
    f->serial = TT_TRY(Magnitude(X509_get0_serialNumber(x)));
    f->validity.not_before = TT_TRY(UnixTime(X509_get0_notBefore(x)));
    f->validity.not_after = TT_TRY(UnixTime(X509_get0_notAfter(x)));
    return Ok{};
  }

  static Status ReadExtensions(const X509* x, Certificate::Fields* f) {
    f->extensions = TT_TRY(Extensions(x));
    f->key_usage = TT_TRY(ReadKeyUsage(FindExtension(f->extensions, "2.5.29.15")));
    const Bytes* value = FindExtension(f->extensions, "2.5.29.19");
    if (value == nullptr) return Ok{};
    const uint8_t* at = value->data();
    BasicConstraintsPtr basic(
        d2i_BASIC_CONSTRAINTS(nullptr, &at, static_cast<long>(value->size())));
    if (basic == nullptr || at != value->data() + value->size()) return Bad("bad basicConstraints");
    f->is_ca = basic->ca != 0;
    if (basic->pathlen != nullptr) {
      int64_t length = 0;
      if (ASN1_INTEGER_get_int64(&length, basic->pathlen) != 1 || length < 0) {
        return Bad("bad path length");
      }
      f->path_length = length;
    }
    return Ok{};
  }

  static Result<Certificate> Read(ByteView der) {
    ErrorQueueGuard guard;
    if (der.empty() || der.size() > kMaxCertificate) return Bad("certificate: bad size");
    const uint8_t* at = der.data();
    X509Ptr x(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (x == nullptr || at != der.data() + der.size()) return Bad("certificate: not DER");
    if (X509_get_version(x.get()) != X509_VERSION_3) return Bad("certificate: not version 3");
    auto fields = std::make_shared<Certificate::Fields>();
    const ASN1_BIT_STRING* bits = nullptr;
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(&bits, &algorithm, x.get());
    TT_RETURN_IF_ERROR(CheckAlgorithm(algorithm));
    TT_RETURN_IF_ERROR(CheckAlgorithm(X509_get0_tbs_sigalg(x.get())));
    SignedObject parts = TT_TRY(ReadSigned(der, bits));
    fields->signature = parts.signature;
    fields->signed_der = std::move(parts.signed_der);
    fields->der = ToBytes(der);
    TT_RETURN_IF_ERROR(ReadKey(x.get(), fields.get()));
    TT_RETURN_IF_ERROR(ReadNames(x.get(), fields.get()));
    TT_RETURN_IF_ERROR(ReadExtensions(x.get(), fields.get()));
    return Certificate(std::move(fields));
  }

  static Status ReadRevoked(X509_CRL* x, Crl::Fields* f) {
    STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(x);
    int count = sk_X509_REVOKED_num(entries);  // -1 if there are none
    if (count > static_cast<int>(kMaxRevoked)) return Bad("CRL: too many entries");
    for (int i = 0; i < count; ++i) {
      const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
      if (X509_REVOKED_get_ext_by_critical(entry, 1, -1) >= 0)
        return Bad("CRL: critical extension");
      f->revoked.push_back(TT_TRY(Magnitude(X509_REVOKED_get0_serialNumber(entry))));
    }
    std::sort(f->revoked.begin(), f->revoked.end());
    return Ok{};
  }

  static Result<Crl> ReadCrl(ByteView der) {
    ErrorQueueGuard guard;
    if (der.empty() || der.size() > kMaxCrl) return Bad("CRL: bad size");
    const uint8_t* at = der.data();
    CrlPtr x(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    if (x == nullptr || at != der.data() + der.size()) return Bad("CRL: not DER");
    if (X509_CRL_get_ext_by_critical(x.get(), 1, -1) >= 0) return Bad("CRL: critical extension");
    auto fields = std::make_shared<Crl::Fields>();
    const ASN1_BIT_STRING* bits = nullptr;
    const X509_ALGOR* algorithm = nullptr;
    X509_CRL_get0_signature(x.get(), &bits, &algorithm);
    // OpenSSL has no way to the inner copy of the algorithm; we verify with this one in any case.
    TT_RETURN_IF_ERROR(CheckAlgorithm(algorithm));
    SignedObject parts = TT_TRY(ReadSigned(der, bits));
    fields->signature = parts.signature;
    fields->signed_der = std::move(parts.signed_der);
    fields->issuer_der = EncodeDer(X509_CRL_get_issuer(x.get()), i2d_X509_NAME);
    fields->updates.not_before = TT_TRY(UnixTime(X509_CRL_get0_lastUpdate(x.get())));
    fields->updates.not_after = TT_TRY(UnixTime(X509_CRL_get0_nextUpdate(x.get())));
    TT_RETURN_IF_ERROR(ReadRevoked(x.get(), fields.get()));
    return Crl(std::move(fields));
  }
};

Result<Certificate> Certificate::FromDer(ByteView der) { return X509Reader::Read(der); }

Result<Certificate> Certificate::FromPem(std::string_view pem) {
  std::vector<Certificate> chain = TT_TRY(ParsePemChain(pem, 1));
  if (chain.size() != 1) return Bad("PEM: no certificate");
  return std::move(chain[0]);
}

std::string Certificate::ToPem() const {
  std::string text = ToBase64(der());
  std::string out = std::string(kPemBegin) + "\n";
  for (size_t i = 0; i < text.size(); i += 64) out += text.substr(i, 64) + "\n";
  return out + std::string(kPemEnd) + "\n";
}

Result<Bytes> Certificate::Extension(std::string_view oid) const {
  const Bytes* value = FindExtension(f_->extensions, oid);
  if (value == nullptr) {
    return Error(Code::kNotFound, "certificate has no extension " + std::string(oid));
  }
  return *value;
}

Status Certificate::CheckSignedBy(const Certificate& issuer) const {
  if (issuer_der() != issuer.subject_der()) {
    return Error(Code::kUnauthenticated, "certificate names another issuer");
  }
  return P256Verify(issuer.public_key(), f_->signed_der, f_->signature);
}

Result<std::vector<Certificate>> ParsePemChain(std::string_view pem, size_t max_count) {
  std::vector<Certificate> out;
  for (std::string_view rest = SkipSpace(pem); !rest.empty(); rest = SkipSpace(rest)) {
    if (!rest.starts_with(kPemBegin)) return Bad("PEM: text outside of certificates");
    if (out.size() == max_count) return Bad("PEM: too many certificates");
    rest.remove_prefix(kPemBegin.size());
    size_t end = rest.find(kPemEnd);
    if (end == std::string_view::npos) return Bad("PEM: certificate without end");
    Bytes der = TT_TRY(DecodePemBody(rest.substr(0, end)));
    out.push_back(TT_TRY(Certificate::FromDer(der)));
    rest.remove_prefix(end + kPemEnd.size());
  }
  return out;
}

Result<Crl> Crl::FromDer(ByteView der) { return X509Reader::ReadCrl(der); }

bool Crl::IsRevoked(const Certificate& certificate) const {
  return std::binary_search(f_->revoked.begin(), f_->revoked.end(), certificate.serial());
}

Status Crl::CheckSignedBy(const Certificate& issuer) const {
  if (issuer_der() != issuer.subject_der()) {
    return Error(Code::kUnauthenticated, "CRL names another issuer");
  }
  return P256Verify(issuer.public_key(), f_->signed_der, f_->signature);
}

}  // namespace teetee::crypto
