// Makes certificates and CRLs: TLS keys of nodes, the development PKI, tests.
#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/check.h"
#include "crypto/p256_state.h"
#include "crypto/random.h"
#include "crypto/x509.h"

namespace teetee::crypto {
namespace {

Error CannotBuild(std::string_view what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  ERR_clear_error();
  return Error(Code::kInvalidArgument, "certificate: cannot set " + std::string(what), file, line);
}

IntegerPtr MakeSerial(ByteView bytes) {
  BnPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  TT_CHECK(number != nullptr);
  return IntegerPtr(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

Bytes RandomSerial() {
  ByteArray<16> serial = RandomArray<16>();
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, full length
  return Bytes(serial.begin(), serial.end());
}

Result<NamePtr> MakeName(const CertificateSpec& spec) {
  NamePtr name(X509_NAME_new());
  auto add = [&](const char* field, const std::string& text) {
    return text.empty() || X509_NAME_add_entry_by_txt(name.get(), field, MBSTRING_UTF8,
                                                      reinterpret_cast<const uint8_t*>(text.data()),
                                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  if (name == nullptr || !add("CN", spec.common_name) || !add("O", spec.organization)) {
    return CannotBuild("name");
  }
  return name;
}

Result<NamePtr> NameFromDer(const Bytes& der) {
  const uint8_t* at = der.data();
  NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
  if (name == nullptr) return CannotBuild("issuer");
  return name;
}

Result<TimePtr> MakeTime(int64_t unix_seconds) {
  TimePtr time(ASN1_TIME_adj(nullptr, static_cast<time_t>(unix_seconds), 0, 0));
  if (time == nullptr) return CannotBuild("time");
  return time;
}

Status AddExtension(X509* x, const ExtensionSpec& spec) {
  ObjectPtr oid(OBJ_txt2obj(spec.oid.c_str(), 1));
  OctetPtr value(ASN1_OCTET_STRING_new());
  if (oid == nullptr || value == nullptr ||
      ASN1_OCTET_STRING_set(value.get(), spec.value.data(), static_cast<int>(spec.value.size())) !=
          1) {
    return CannotBuild("extension");
  }
  ExtensionPtr extension(
      X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), spec.critical ? 1 : 0, value.get()));
  if (extension == nullptr || X509_add_ext(x, extension.get(), -1) != 1) {
    return CannotBuild("extension");
  }
  return Ok{};
}

Status AddByName(X509* x, int nid, const std::string& value) {
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(x, extension.get(), -1) != 1) {
    return CannotBuild("extension");
  }
  return Ok{};
}

std::string KeyUsageText(const KeyUsage& usage) {
  std::string out = "critical";
  if (usage.digital_signature) out += ",digitalSignature";
  if (usage.cert_sign) out += ",keyCertSign";
  if (usage.crl_sign) out += ",cRLSign";
  return out;
}

std::string BasicConstraintsText(const CertificateSpec& spec) {
  if (!spec.is_ca) return "critical,CA:FALSE";
  std::string out = "critical,CA:TRUE";
  if (spec.path_length) out += ",pathlen:" + std::to_string(*spec.path_length);
  return out;
}

// Host names come from our own configuration, yet a comma would open a second entry.
Result<std::string> DnsText(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    bool plain =
        !name.empty() && name.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") ==
                             std::string::npos;
    if (!plain) return CannotBuild("host name");
    out += (out.empty() ? "DNS:" : ",DNS:") + name;
  }
  return out;
}

Status AddExtensions(X509* x, const CertificateSpec& spec) {
  TT_RETURN_IF_ERROR(AddByName(x, NID_basic_constraints, BasicConstraintsText(spec)));
  if (!(spec.key_usage == KeyUsage{})) {
    TT_RETURN_IF_ERROR(AddByName(x, NID_key_usage, KeyUsageText(spec.key_usage)));
  }
  if (!spec.dns_names.empty()) {
    TT_RETURN_IF_ERROR(AddByName(x, NID_subject_alt_name, TT_TRY(DnsText(spec.dns_names))));
  }
  for (const ExtensionSpec& extension : spec.extensions) {
    TT_RETURN_IF_ERROR(AddExtension(x, extension));
  }
  return Ok{};
}

Result<Certificate> Build(const CertificateSpec& spec, EVP_PKEY* subject_key, X509_NAME* issuer,
                          EVP_PKEY* issuer_key) {
  X509Ptr x(X509_new());
  TT_CHECK(x != nullptr && X509_set_version(x.get(), X509_VERSION_3) == 1);
  IntegerPtr serial = MakeSerial(spec.serial.empty() ? RandomSerial() : spec.serial);
  NamePtr subject = TT_TRY(MakeName(spec));
  TimePtr from = TT_TRY(MakeTime(spec.validity.not_before));
  TimePtr until = TT_TRY(MakeTime(spec.validity.not_after));
  if (X509_set_serialNumber(x.get(), serial.get()) != 1 ||
      X509_set_subject_name(x.get(), subject.get()) != 1 ||
      X509_set_issuer_name(x.get(), issuer != nullptr ? issuer : subject.get()) != 1 ||
      X509_set1_notBefore(x.get(), from.get()) != 1 ||
      X509_set1_notAfter(x.get(), until.get()) != 1 || X509_set_pubkey(x.get(), subject_key) != 1) {
    return CannotBuild("fields");
  }
  TT_RETURN_IF_ERROR(AddExtensions(x.get(), spec));
  if (X509_sign(x.get(), issuer_key, EVP_sha256()) <= 0) return CannotBuild("signature");
  uint8_t* der = nullptr;
  int size = i2d_X509(x.get(), &der);
  TT_CHECK(size > 0);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return Certificate::FromDer(bytes);
}

Status AddRevoked(X509_CRL* crl, ByteView serial, ASN1_TIME* at) {
  X509_REVOKED* entry = X509_REVOKED_new();
  IntegerPtr number = MakeSerial(serial);
  TT_CHECK(entry != nullptr && number != nullptr);
  TT_CHECK(X509_REVOKED_set_serialNumber(entry, number.get()) == 1);
  TT_CHECK(X509_REVOKED_set_revocationDate(entry, at) == 1);
  TT_CHECK(X509_CRL_add0_revoked(crl, entry) == 1);  // takes the entry
  return Ok{};
}

}  // namespace

Result<Certificate> BuildSelfSigned(const CertificateSpec& spec, const P256Key& key) {
  EVP_PKEY* pkey = key.state().key.get();
  return Build(spec, pkey, nullptr, pkey);
}

Result<Certificate> BuildCertificate(const CertificateSpec& spec, const P256PublicKey& subject,
                                     const Issuer& issuer) {
  PkeyPtr subject_key = TT_TRY(PublicKeyFromPoint(subject));
  NamePtr name = TT_TRY(NameFromDer(issuer.certificate.subject_der()));
  return Build(spec, subject_key.get(), name.get(), issuer.key.state().key.get());
}

Result<Bytes> BuildCrl(const CrlSpec& spec, const Issuer& issuer) {
  CrlPtr crl(X509_CRL_new());
  TT_CHECK(crl != nullptr && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1);
  NamePtr name = TT_TRY(NameFromDer(issuer.certificate.subject_der()));
  TimePtr from = TT_TRY(MakeTime(spec.updates.not_before));
  TimePtr until = TT_TRY(MakeTime(spec.updates.not_after));
  if (X509_CRL_set_issuer_name(crl.get(), name.get()) != 1 ||
      X509_CRL_set1_lastUpdate(crl.get(), from.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), until.get()) != 1) {
    return CannotBuild("CRL fields");
  }
  for (const Bytes& serial : spec.revoked) {
    TT_RETURN_IF_ERROR(AddRevoked(crl.get(), serial, from.get()));
  }
  X509_CRL_sort(crl.get());
  if (X509_CRL_sign(crl.get(), issuer.key.state().key.get(), EVP_sha256()) <= 0) {
    return CannotBuild("CRL signature");
  }
  uint8_t* der = nullptr;
  int size = i2d_X509_CRL(crl.get(), &der);
  TT_CHECK(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace teetee::crypto
