#include "transport/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <optional>

#include "base/check.h"
#include "base/secret.h"
#include "transport/check.h"

namespace teetee::transport {
namespace {

constexpr size_t kNetBuffer = 128u << 10;   // bytes read from the socket at a time
constexpr size_t kWriteBlock = 256u << 10;  // bytes encrypted before they are sent
constexpr long kMaxPeerChain =
    160l << 10;  // bytes of the peer's Certificate message: evidence makes it large

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* p) const {
    kFree(p);
  }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Error OurFault(const char* what) { return Error(Code::kInternal, std::string("TLS: ") + what); }

// Length-prefixed, as ALPN travels.
Bytes AlpnList() { return ByteWriter().U8(static_cast<uint8_t>(kAlpn.size())).Raw(kAlpn).Take(); }

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
               unsigned int in_size, void*) {
  static const Bytes ours = AlpnList();
  unsigned char* chosen = nullptr;
  int found = SSL_select_next_proto(&chosen, out_size, ours.data(),
                                    static_cast<unsigned>(ours.size()), in, in_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

bool SetProtocol(SSL_CTX* context, attest::ChannelRole role) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kMaxPeerChain);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, nullptr);
  Bytes alpn = AlpnList();
  bool ok = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
            SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
  ok = ok && SSL_CTX_set_num_tickets(context, 0) == 1;
  ok =
      ok && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") == 1;
  ok = ok && SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1;
  ok = ok && SSL_CTX_set1_sigalgs_list(context, "ecdsa_secp256r1_sha256") == 1;
  if (role == attest::ChannelRole::kClient) {
    ok = ok &&
         SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned>(alpn.size())) == 0;
  }
  return ok;
}

bool SetIdentity(SSL_CTX* context, const crypto::Certificate& certificate,
                 const crypto::P256Key& key) {
  const Bytes& der = certificate.der();
  const uint8_t* at = der.data();
  X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  Bytes key_der = key.ToDer();
  at = key_der.data();
  KeyPtr pkey(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der.size())));
  SecureZero(key_der.data(), key_der.size());
  return x509 && pkey && SSL_CTX_use_certificate(context, x509.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, pkey.get()) == 1;
}

Result<crypto::Certificate> Convert(X509* x509) {
  unsigned char* der = nullptr;
  int size = x509 ? i2d_X509(x509, &der) : -1;
  if (size <= 0) return attest::Refuse(check::kCertificate, "no certificate");
  auto out = crypto::Certificate::FromDer(ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  if (!out) return attest::Refuse(check::kCertificate, out.error());
  return out;
}

}  // namespace

struct TlsSession::Impl {
  attest::ChannelRole role;
  std::unique_ptr<net::Stream> stream;
  CertificateCheck check;
  ContextPtr context;
  SslPtr ssl;
  BIO* in = nullptr;   // owned by ssl: what came from the socket
  BIO* out = nullptr;  // likewise: what must go to it
  Bytes net_buffer;
  std::optional<crypto::Certificate> peer;
  std::optional<Error> refusal;  // of the certificate check: says more than OpenSSL's error

  static int VerifyCallback(X509_STORE_CTX* store, void*) {
    auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* self = static_cast<Impl*>(SSL_get_app_data(ssl));
    Status verdict = self->CheckPeer(X509_STORE_CTX_get0_cert(store));
    X509_STORE_CTX_set_error(store, verdict ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    if (!verdict) self->refusal = std::move(verdict).error();
    return verdict ? 1 : 0;
  }

  Status CheckPeer(X509* x509) {
    crypto::Certificate certificate = TT_TRY(Convert(x509));
    TT_RETURN_IF_ERROR(check(certificate));
    peer = std::move(certificate);
    return Ok{};
  }

  Status Init(const crypto::Certificate& certificate, const crypto::P256Key& key) {
    context.reset(SSL_CTX_new(TLS_method()));
    if (!context || !SetProtocol(context.get(), role)) return OurFault("context");
    if (!SetIdentity(context.get(), certificate, key)) return OurFault("certificate or key");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), VerifyCallback, nullptr);
    ssl.reset(SSL_new(context.get()));
    in = BIO_new(BIO_s_mem());
    out = BIO_new(BIO_s_mem());
    if (!ssl || !in || !out) return OurFault("session");
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_app_data(ssl.get(), this);
    SSL_set_mode(ssl.get(), SSL_MODE_AUTO_RETRY);
    role == attest::ChannelRole::kServer ? SSL_set_accept_state(ssl.get())
                                         : SSL_set_connect_state(ssl.get());
    return Ok{};
  }

  // OpenSSL's reason text is its own and quotes nothing of the peer.
  Error Failure() {
    if (refusal) return *refusal;
    unsigned long code = ERR_get_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return attest::Refuse(check::kTls, reason ? reason : "the peer broke off");
  }

  Bytes DrainOut() {
    Bytes bytes(BIO_ctrl_pending(out));
    if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  net::Task<Status> Flush(net::Millis timeout) {
    Bytes bytes = DrainOut();
    co_return co_await stream->WriteAll(bytes, timeout);
  }

  // False at the end of the stream.
  net::Task<Result<bool>> Fill(net::Millis timeout) {
    auto count = co_await stream->ReadSome(net_buffer, timeout);
    TT_CO_CHECK(count);
    if (*count > 0) BIO_write(in, net_buffer.data(), static_cast<int>(*count));
    co_return *count > 0;
  }

  Status Encrypt(ByteView bytes) {
    if (bytes.empty()) return Ok{};
    ERR_clear_error();
    int n = SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (n != static_cast<int>(bytes.size())) return Failure();  // a memory BIO takes all or fails
    return Ok{};
  }

  Status CheckOutcome() {
    const unsigned char* alpn = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl.get(), &alpn, &size);
    bool named = size == kAlpn.size() && std::memcmp(alpn, kAlpn.data(), size) == 0;
    if (!named) return attest::Refuse(check::kTls, "the peer speaks another protocol");
    if (SSL_version(ssl.get()) != TLS1_3_VERSION) return attest::Refuse(check::kTls, "not TLS 1.3");
    if (SSL_session_reused(ssl.get())) return attest::Refuse(check::kTls, "a resumed session");
    if (!peer) return attest::Refuse(check::kTls, "no certificate was checked");
    return Ok{};
  }
};

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;

Result<std::unique_ptr<TlsSession>> TlsSession::Create(attest::ChannelRole role,
                                                       std::unique_ptr<net::Stream> stream,
                                                       const crypto::Certificate& certificate,
                                                       const crypto::P256Key& key,
                                                       CertificateCheck check) {
  auto impl = std::make_unique<Impl>();
  impl->role = role;
  impl->stream = std::move(stream);
  impl->check = std::move(check);
  impl->net_buffer.resize(kNetBuffer);
  TT_RETURN_IF_ERROR(impl->Init(certificate, key));
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(impl)));
}

net::Task<Status> TlsSession::Handshake(net::Millis timeout) {
  for (;;) {
    ERR_clear_error();
    int n = SSL_do_handshake(impl_->ssl.get());
    int kind = SSL_get_error(impl_->ssl.get(), n);
    std::optional<Error> failure;
    if (n != 1 && kind != SSL_ERROR_WANT_READ) failure = impl_->Failure();
    auto flushed = co_await impl_->Flush(timeout);  // also the alert that tells the peer why
    if (failure) co_return *failure;
    TT_CO_CHECK(flushed);
    if (n == 1) co_return impl_->CheckOutcome();
    auto more = co_await impl_->Fill(timeout);
    TT_CO_CHECK(more);
    if (!*more) co_return attest::Refuse(check::kTls, "the peer closed during the handshake");
  }
}

net::Task<Result<size_t>> TlsSession::Read(std::span<uint8_t> into, net::Millis timeout) {
  TT_CHECK(!into.empty());
  for (;;) {
    ERR_clear_error();
    int n = SSL_read(impl_->ssl.get(), into.data(),
                     static_cast<int>(std::min(into.size(), size_t{1} << 30)));
    if (n > 0) co_return static_cast<size_t>(n);
    int kind = SSL_get_error(impl_->ssl.get(), n);
    if (kind == SSL_ERROR_ZERO_RETURN) co_return size_t{0};
    if (kind != SSL_ERROR_WANT_READ) co_return impl_->Failure();
    auto more = co_await impl_->Fill(timeout);
    TT_CO_CHECK(more);
    if (!*more) co_return size_t{0};
  }
}

net::Task<Status> TlsSession::Write(ByteView header, ByteView payload, net::Millis timeout) {
  // An exception (cancellation) between encrypting and sending would leave a hole in the record
  // stream.
  struct CloseUnlessDone {
    net::Stream& stream;
    bool done = false;
    ~CloseUnlessDone() {
      if (!done) stream.Close();
    }
  } guard{*impl_->stream};
  // Small frames become one record; a large one starts with a short record, which costs 22 bytes
  // and saves a copy.
  bool small = header.size() + payload.size() <= 16384;
  if (small) {
    Bytes joined = ByteWriter().Raw(header).Raw(payload).Take();
    auto encrypted = impl_->Encrypt(joined);
    TT_CO_CHECK(encrypted);
    payload = {};
  } else {
    auto encrypted = impl_->Encrypt(header);
    TT_CO_CHECK(encrypted);
  }
  do {
    ByteView block = payload.first(std::min(payload.size(), kWriteBlock));
    payload = payload.subspan(block.size());
    auto encrypted = impl_->Encrypt(block);
    TT_CO_CHECK(encrypted);
    auto sent = co_await impl_->Flush(timeout);
    TT_CO_CHECK(sent);
  } while (!payload.empty());
  guard.done = true;
  co_return Ok{};
}

const crypto::Certificate& TlsSession::peer_certificate() const {
  TT_CHECK(impl_->peer.has_value());
  return *impl_->peer;
}

ByteArray<32> TlsSession::Exporter(attest::ChannelRole role, const Nonce& nonce) const {
  ByteArray<32> out;
  ByteArray<33> context = attest::ExporterContext(role, nonce);
  int done = SSL_export_keying_material(
      impl_->ssl.get(), out.data(), out.size(), attest::kExporterLabel.data(),
      attest::kExporterLabel.size(), context.data(), context.size(), 1);
  TT_CHECK(done == 1);
  return out;
}

void TlsSession::Close() { impl_->stream->Close(); }
bool TlsSession::closed() const { return impl_->stream->closed(); }

}  // namespace teetee::transport
