// X.509 certificates and CRLs (RFC 5280) of the kinds that attested TLS and vendor chains use:
// ECDSA P-256 with SHA-256, and nothing else. The seam to OpenSSL: no OpenSSL type here; TLS
// libraries take der() and P256Key::ToDer(). Parsed objects are immutable and cheap to copy;
// thread-safe. Foreign bytes yield kInvalidArgument, a signature or link that does not hold
// kUnauthenticated. Nothing here decides trust or looks at a clock: callers compare fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/p256.h"

namespace teetee::crypto {

// Bytes of DER. A certificate may carry 64 KB of evidence.
inline constexpr size_t kMaxCertificate = 128u << 10;
inline constexpr size_t kMaxCrl = 1u << 20;

// Unix seconds, both ends included.
struct Validity {
  int64_t not_before = 0;
  int64_t not_after = 0;
  bool Contains(int64_t now) const { return not_before <= now && now <= not_after; }
  bool operator==(const Validity&) const = default;
};

// Bits of the keyUsage extension that we look at.
struct KeyUsage {
  bool digital_signature = false;
  bool cert_sign = false;
  bool crl_sign = false;
  bool operator==(const KeyUsage&) const = default;
};

class Certificate {
 public:
  // Exactly one certificate and no byte more. Refused: a key that is not P-256, another signature
  // algorithm, a critical extension that nobody here interprets, a repeated extension, and any but
  // the one DER form of the bytes around the signed part.
  static Result<Certificate> FromDer(ByteView der);
  // One PEM block; white space around it only.
  static Result<Certificate> FromPem(std::string_view pem);

  const Bytes& der() const { return f_->der; }
  std::string ToPem() const;
  const std::string& subject_common_name() const { return f_->subject_cn; }  // empty if absent
  const std::string& issuer_common_name() const { return f_->issuer_cn; }
  // the DER Name, for exact comparison
  const Bytes& subject_der() const { return f_->subject_der; }
  const Bytes& issuer_der() const { return f_->issuer_der; }
  const Bytes& serial() const { return f_->serial; }  // big-endian magnitude, no leading zero
  const Validity& validity() const { return f_->validity; }
  const Bytes& spki_der() const { return f_->spki_der; }
  const Hash32& spki_hash() const { return f_->spki_hash; }  // SHA-256 of spki_der()
  const P256PublicKey& public_key() const { return f_->public_key; }
  bool is_ca() const { return f_->is_ca; }  // basicConstraints CA:TRUE; false if absent
  std::optional<int64_t> path_length() const { return f_->path_length; }
  const std::optional<KeyUsage>& key_usage() const { return f_->key_usage; }  // nullopt if absent
  // The value inside extnValue of the extension with this dotted OID, or kNotFound.
  Result<Bytes> Extension(std::string_view oid) const;

  // Issuer name == subject name of `issuer` (DER equal), and the signature verifies under its key.
  // Also for a self-signed one.
  Status CheckSignedBy(const Certificate& issuer) const;

 private:
  struct Fields {
    Bytes der;
    Bytes signed_der;  // tbsCertificate
    P256Signature signature{};
    std::string subject_cn, issuer_cn;
    Bytes subject_der, issuer_der, serial, spki_der;
    Hash32 spki_hash{};
    P256PublicKey public_key{};
    Validity validity;
    bool is_ca = false;
    std::optional<int64_t> path_length;
    std::optional<KeyUsage> key_usage;
    std::vector<std::pair<std::string, Bytes>> extensions;
  };
  friend struct X509Reader;
  explicit Certificate(std::shared_ptr<const Fields> fields) : f_(std::move(fields)) {}
  std::shared_ptr<const Fields> f_;
};

// Concatenated PEM blocks, only white space between and after them, at most max_count.
Result<std::vector<Certificate>> ParsePemChain(std::string_view pem, size_t max_count);

class Crl {
 public:
  // Exactly one full CRL and no byte more. nextUpdate is required; critical extensions (delta,
  // indirect) are refused.
  static Result<Crl> FromDer(ByteView der);

  const Bytes& issuer_der() const { return f_->issuer_der; }
  int64_t this_update() const { return f_->updates.not_before; }
  int64_t next_update() const { return f_->updates.not_after; }
  const Validity& updates() const { return f_->updates; }
  bool IsRevoked(const Certificate& certificate) const;  // by serial: REQUIRES the same issuer
  Status CheckSignedBy(const Certificate& issuer) const;

 private:
  struct Fields {
    Bytes issuer_der, signed_der;
    P256Signature signature{};
    Validity updates;
    std::vector<Bytes> revoked;  // serials, sorted
  };
  friend struct X509Reader;
  explicit Crl(std::shared_ptr<const Fields> fields) : f_(std::move(fields)) {}
  std::shared_ptr<const Fields> f_;
};

// --- Making certificates: TLS keys of nodes, the development PKI, tests ---

struct ExtensionSpec {
  std::string oid;  // dotted
  Bytes value;      // what goes inside extnValue
  bool critical = false;
};

struct CertificateSpec {
  std::string common_name;
  std::string organization;  // left out if empty
  Bytes serial;              // random, 16 bytes, if empty
  Validity validity;
  bool is_ca = false;
  std::optional<int64_t> path_length;
  KeyUsage key_usage;
  std::vector<ExtensionSpec> extensions;
  std::vector<std::string> dns_names;  // subjectAltName
};

// An issuer's name and key. The name is taken from a certificate, so that links compare equal byte
// for byte.
struct Issuer {
  const Certificate& certificate;
  const P256Key& key;
};

// kInvalidArgument for a spec that X.509 cannot express (bad OID, too long).
Result<Certificate> BuildSelfSigned(const CertificateSpec& spec, const P256Key& key);
Result<Certificate> BuildCertificate(const CertificateSpec& spec, const P256PublicKey& subject,
                                     const Issuer& issuer);

struct CrlSpec {
  Validity updates;            // thisUpdate, nextUpdate
  std::vector<Bytes> revoked;  // serials
};
Result<Bytes> BuildCrl(const CrlSpec& spec, const Issuer& issuer);  // DER

}  // namespace teetee::crypto
