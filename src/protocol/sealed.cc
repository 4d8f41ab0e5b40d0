#include "protocol/sealed.h"

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "protocol/fields.h"

namespace teetee::protocol {
namespace {

constexpr std::string_view kRequestMagic = "TTQ1";
constexpr std::string_view kResponseMagic = "TTR1";
constexpr std::string_view kInfo = "teetee sealed request v1";
constexpr std::string_view kExportResponse = "teetee response v1";
constexpr std::string_view kExportControl = "teetee control v1";
constexpr size_t kRequestPadding = 4096;
constexpr size_t kResponsePadding = 256;
constexpr size_t kPreamble = 4 + 32;

Bytes Pad(std::string_view text, size_t multiple) {
  ByteWriter writer;
  writer.U32Le(static_cast<uint32_t>(text.size())).Raw(text);
  writer.Zeros((multiple - writer.size() % multiple) % multiple);
  return writer.Take();
}

Result<std::string> Unpad(ByteView padded) {
  ByteReader reader(padded);
  uint32_t size = TT_TRY(reader.U32Le());
  std::string text(AsText(TT_TRY(reader.View(size))));
  for (uint8_t byte : TT_TRY(reader.View(reader.remaining()))) {
    if (byte != 0) return Error(Code::kInvalidArgument, "sealed: the padding is not zero");
  }
  return text;
}

// The test build of tests/e2e/leak.py: it must make that test fail, or the test proves nothing.
#ifdef TEETEE_UNSEALED
Bytes SealBytes(const crypto::AeadKey&, const crypto::AeadNonce&, ByteView, ByteView plain) {
  Bytes out = ToBytes(plain);
  out.resize(out.size() + crypto::kAeadTagSize);
  return out;
}
Result<Bytes> OpenBytes(const crypto::AeadKey&, const crypto::AeadNonce&, ByteView, ByteView sealed) {
  if (sealed.size() < crypto::kAeadTagSize) return Error(Code::kUnauthenticated, "too short");
  return ToBytes(sealed.first(sealed.size() - crypto::kAeadTagSize));
}
Result<Bytes> HpkeSeal(crypto::HpkeSender&, ByteView aad, ByteView plain) {
  return SealBytes({}, {}, aad, plain);
}
Result<Bytes> HpkeOpen(crypto::HpkeRecipient&, ByteView aad, ByteView sealed) {
  return OpenBytes({}, {}, aad, sealed);
}
#else
Bytes SealBytes(const crypto::AeadKey& key, const crypto::AeadNonce& nonce, ByteView aad, ByteView plain) {
  return crypto::AeadSeal(key, nonce, aad, plain);
}
Result<Bytes> OpenBytes(const crypto::AeadKey& key, const crypto::AeadNonce& nonce, ByteView aad, ByteView sealed) {
  return crypto::AeadOpen(key, nonce, aad, sealed);
}
Result<Bytes> HpkeSeal(crypto::HpkeSender& sender, ByteView aad, ByteView plain) {
  return sender.Seal(aad, plain);
}
Result<Bytes> HpkeOpen(crypto::HpkeRecipient& recipient, ByteView aad, ByteView sealed) {
  return recipient.Open(aad, sealed);
}
#endif

struct ResponseKeys {
  crypto::AeadKey key;
  crypto::AeadNonce iv{};
};

ResponseKeys DeriveResponseKeys(const Secret<32>& secret, const crypto::HpkeEnc& enc, ByteView nonce) {
  ByteWriter salt;
  salt.Raw(enc).Raw(nonce);
  Secret<32> prk = crypto::HkdfExtract(salt.bytes(), secret.view());
  ResponseKeys keys;
  keys.key = crypto::HkdfExpand<16>(prk.view(), AsBytes("key"));
  crypto::HkdfExpand(prk.view(), AsBytes("nonce"), keys.iv.data(), keys.iv.size());
  return keys;
}

ByteArray<9> ChunkData(uint64_t index, bool final) {
  ByteArray<9> out{};
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(index >> (8 * i));
  out[8] = final;
  return out;
}

}  // namespace

std::string SealedHeader::Canonical() const {
  return Json::MakeObject({{"boot", ToHex(boot)},
                           {"expires", expires},
                           {"head", ToHex0x(head)},
                           {"method", "POST"},
                           {"model", ToHex0x(model)},
                           {"path", path},
                           {"plan", ToHex(plan)},
                           {"request", ToHex(request)},
                           {"v", 1}})
      .Canonical();
}

Result<SealedHeader> SealedHeader::Parse(ByteView canonical) {
  Json json = TT_TRY(Json::Parse(AsText(canonical), {.max_bytes = kMaxSealedHeader, .max_depth = 2}));
  if (TT_TRY(json.GetUint64("v")) != 1) {
    return Error(Code::kUnimplemented, "sealed request: unknown version");
  }
  if (TT_TRY(json.GetString("method")) != "POST") {
    return Error(Code::kInvalidArgument, "sealed request: method is not POST");
  }
  SealedHeader header;
  header.boot = TT_TRY(GetHex<16>(json, "boot"));
  header.expires = TT_TRY(json.GetInt64("expires"));
  header.head = TT_TRY(GetHex<20>(json, "head"));
  header.model = TT_TRY(GetHex<32>(json, "model"));
  header.path = TT_TRY(json.GetString("path"));
  header.plan = TT_TRY(GetHex<32>(json, "plan"));
  header.request = TT_TRY(GetHex<16>(json, "request"));
  if (AsText(canonical) != header.Canonical()) {
    return Error(Code::kInvalidArgument, "sealed request: the header is not canonical");
  }
  return header;
}

Result<SealedParts> ParseSealed(ByteView wire) {
  if (wire.size() > kMaxSealedRequest) {
    return Error(Code::kResourceExhausted, "sealed request: larger than 1 MiB");
  }
  ByteReader reader(wire);
  if (AsText(TT_TRY(reader.View(4))) != kRequestMagic) {
    return Error(Code::kInvalidArgument,
                 "not a sealed request: this server takes no plaintext; run `teetee proxy` and point "
                 "the client at it");
  }
  uint32_t header_size = TT_TRY(reader.U32Le());
  if (header_size > kMaxSealedHeader) {
    return Error(Code::kInvalidArgument, "sealed request: header too long");
  }
  SealedParts parts;
  parts.header_bytes = TT_TRY(reader.View(header_size));
  parts.header = TT_TRY(SealedHeader::Parse(parts.header_bytes));
  parts.enc = TT_TRY(reader.Array<crypto::kHpkeEncSize>());
  uint32_t size = TT_TRY(reader.U32Le());
  parts.ciphertext = TT_TRY(reader.View(size));
  TT_RETURN_IF_ERROR(reader.ExpectDone("sealed request"));
  return parts;
}

Result<SealedExchange> Seal(const SealedHeader& header, const crypto::X25519PublicKey& head_key,
                            const Json& content) {
  crypto::HpkeSender sender = TT_TRY(crypto::HpkeSender::Setup(head_key, AsBytes(kInfo)));
  std::string aad = header.Canonical();
  Bytes sealed = TT_TRY(HpkeSeal(sender, AsBytes(aad), Pad(content.Dump(), kRequestPadding)));
  ByteWriter writer;
  writer.Raw(kRequestMagic).U32Le(static_cast<uint32_t>(aad.size())).Raw(aad).Raw(sender.enc());
  writer.U32Le(static_cast<uint32_t>(sealed.size())).Raw(sealed);
  if (writer.size() > kMaxSealedRequest) {
    return Error(Code::kResourceExhausted, "request: larger than 1 MiB when sealed");
  }
  return SealedExchange{writer.Take(), sender.Export<32>(AsBytes(kExportControl)),
                        ResponseOpener(sender.Export<32>(AsBytes(kExportResponse)), sender.enc())};
}

Result<OpenedRequest> OpenSealed(ByteView wire, const crypto::X25519Key& key) {
  SealedParts parts = TT_TRY(ParseSealed(wire));
  auto recipient = TT_TRY(crypto::HpkeRecipient::Setup(parts.enc, key, AsBytes(kInfo)));
  auto plain = HpkeOpen(recipient, parts.header_bytes, parts.ciphertext);
  if (!plain) {
    return Error(Code::kUnauthenticated,
                 "sealed request: it does not open with this node's key; fetch its evidence again");
  }
  Json content = TT_TRY(Json::Parse(TT_TRY(Unpad(*plain))));
  return OpenedRequest{parts.header,
                       std::move(content),
                       crypto::Sha256(wire),
                       recipient.Export<32>(AsBytes(kExportControl)),
                       recipient.Export<32>(AsBytes(kExportResponse)),
                       parts.enc};
}

ResponseSealer::ResponseSealer(Secret<32> response_secret, const crypto::HpkeEnc& enc)
    : nonce_(crypto::RandomArray<32>()) {
  ResponseKeys keys = DeriveResponseKeys(response_secret, enc, nonce_);
  key_ = std::move(keys.key);
  iv_ = keys.iv;
}

Bytes ResponseSealer::Preamble() const {
  ByteWriter writer;
  writer.Raw(kResponseMagic).Raw(nonce_);
  return writer.Take();
}

Bytes ResponseSealer::Chunk(const Json& event, bool final) {
  Bytes sealed = SealBytes(key_, crypto::SequenceNonce(iv_, index_), ChunkData(index_, final),
                           Pad(event.Dump(), kResponsePadding));
  ++index_;
  ByteWriter writer;
  writer.U32Le(static_cast<uint32_t>(sealed.size())).Raw(sealed);
  return writer.Take();
}

ResponseOpener::ResponseOpener(Secret<32> response_secret, const crypto::HpkeEnc& enc)
    : response_secret_(std::move(response_secret)), enc_(enc) {}

Result<bool> ResponseOpener::TakePreamble() {
  if (buffer_.size() - read_ < kPreamble) return false;
  ByteView view = ByteView(buffer_).subspan(read_, kPreamble);
  if (AsText(view.first(4)) != kResponseMagic) {
    return Error(Code::kUnauthenticated, "sealed answer: wrong magic");
  }
  ResponseKeys keys = DeriveResponseKeys(response_secret_, enc_, view.subspan(4));
  key_ = std::move(keys.key);
  iv_ = keys.iv;
  keyed_ = true;
  read_ += kPreamble;
  return true;
}

Result<std::optional<Json>> ResponseOpener::TakeChunk() {
  ByteReader reader(ByteView(buffer_).subspan(read_));
  if (reader.remaining() < 4) return std::optional<Json>();
  uint32_t size = TT_TRY(reader.U32Le());
  if (size > kMaxChunk) return Error(Code::kUnauthenticated, "sealed answer: chunk too long");
  if (reader.remaining() < size) return std::optional<Json>();
  ByteView sealed = TT_TRY(reader.View(size));
  auto nonce = crypto::SequenceNonce(iv_, next_index_);
  auto plain = OpenBytes(key_, nonce, ChunkData(next_index_, false), sealed);
  if (!plain) {
    plain = OpenBytes(key_, nonce, ChunkData(next_index_, true), sealed);
    finished_ = plain.has_value();
  }
  if (!plain) {
    return Error(Code::kUnauthenticated, "sealed answer: a chunk was changed, dropped or reordered");
  }
  Json event = TT_TRY(Json::Parse(TT_TRY(Unpad(*plain)), {.max_bytes = kMaxChunk}));
#ifdef TEETEE_UNSEALED
  if (const Json* t = event.Find("t"); t && *t == Json("done")) finished_ = true;
#endif
  read_ += 4 + size;
  ++next_index_;
  return std::optional<Json>(std::move(event));
}

Result<std::vector<Json>> ResponseOpener::Push(ByteView bytes) {
  if (finished_ && !bytes.empty()) {
    return Error(Code::kUnauthenticated, "sealed answer: bytes after the final chunk");
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  std::vector<Json> events;
  if (!keyed_ && !TT_TRY(TakePreamble())) return events;
  while (!finished_) {
    auto event = TT_TRY(TakeChunk());
    if (!event) break;
    events.push_back(*std::move(event));
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(read_));
  read_ = 0;
  return events;
}

Json Control::ToJson() const {
  return Json::MakeObject({{"request", ToHex(request)},
                           {"op", op},
                           {"counter", counter},
                           {"from", from},
                           {"mac", ToHex(mac)}});
}

Result<Control> Control::FromJson(const Json& json) {
  Control control;
  control.request = TT_TRY(GetHex<16>(json, "request"));
  control.op = TT_TRY(json.GetString("op"));
  if (control.op != "cancel" && control.op != "resume") {
    return Error(Code::kInvalidArgument, "field 'op': neither cancel nor resume");
  }
  control.counter = TT_TRY(json.GetUint64("counter"));
  control.from = TT_TRY(json.GetUint64("from"));
  control.mac = TT_TRY(GetHex<32>(json, "mac"));
  return control;
}

Hash32 Control::Mac(const Secret<32>& control_key) const {
  ByteWriter writer;
  writer.Raw(op).U8(0).Raw(request).U64Le(counter).U64Le(from);
  return crypto::HmacSha256(control_key.view(), writer.bytes());
}

}  // namespace teetee::protocol
