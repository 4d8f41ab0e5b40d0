// Manifest to JSON and back.
#include "manifest/manifest.h"

#include <charconv>

#include "base/json.h"

namespace teetee::manifest {
namespace {

Error Bad(std::string what) {
  return Error(Code::kInvalidArgument, "manifest: " + std::move(what));
}

std::string HexU64(uint64_t v) {
  ByteWriter out;
  out.U64Be(v);
  return ToHex0x(out.bytes());
}

Result<Hash32> GetHash(const Json& json, std::string_view key) {
  auto text = json.GetString(key);
  if (!text) return std::move(text).error().Context("manifest");
  auto hash = FromHexFixed<32>(*text);
  if (!hash) return Bad("field '" + std::string(key) + "' is not 32 bytes of hex");
  return *hash;
}

Json ToJson(const Tensor& tensor) {
  Json dims = Json::MakeArray();
  for (uint64_t dim : tensor.dims) dims.Push(dim);
  return Json::MakeObject({{"bytes", tensor.bytes},
                           {"dims", dims},
                           {"dtype", tensor.dtype},
                           {"name", tensor.name},
                           {"sha256", ToHex(tensor.sha256)}});
}

Json ToJson(const KnownAnswer& kat) {
  return Json::MakeObject({{"n_tokens", kat.n_tokens},
                           {"output_sha256", ToHex(kat.output_sha256)},
                           {"seed", HexU64(kat.seed)}});
}

Json ToJson(const Slot& slot) {
  Json tensors = Json::MakeArray();
  for (const std::string& name : slot.tensors) tensors.Push(name);
  Json kats = Json::MakeArray();
  for (const KnownAnswer& kat : slot.kats) kats.Push(ToJson(kat));
  return Json::MakeObject({{"block_count", slot.block_count},
                           {"file", slot.file},
                           {"file_bytes", slot.file_bytes},
                           {"file_sha256", ToHex(slot.file_sha256)},
                           {"first_block", slot.first_block},
                           {"kats", kats},
                           {"share", slot.share},
                           {"tensors", tensors},
                           {"weights_root", ToHex(slot.weights_root)}});
}

std::string Text(const Manifest& manifest) {
  Json config = Json::MakeObject();
  for (const auto& [key, value] : manifest.config) config.Set(key, value);
  Json tensors = Json::MakeArray(), slots = Json::MakeArray();
  for (const Tensor& tensor : manifest.tensors) tensors.Push(ToJson(tensor));
  for (const Slot& slot : manifest.slots) slots.Push(ToJson(slot));
  Json out = Json::MakeObject({{"config", config},
                           {"name", manifest.name},
                           {"profile", kProfile},
                           {"slots", slots},
                           {"tensors", tensors},
                           {"tensors_root", ToHex(manifest.tensors_root)},
                           {"tokenizer_sha256", ToHex(manifest.tokenizer_sha256)},
                           {"version", kVersion}});
  if (!manifest.system.empty()) out.Set("system", manifest.system);
  return out.Canonical();
}

Result<Tensor> TensorFrom(const Json& json) {
  Tensor out;
  out.name = TT_TRY(json.GetString("name"));
  out.dtype = TT_TRY(json.GetString("dtype"));
  for (const Json& dim : TT_TRY(json.GetArray("dims"))->as_array())
    out.dims.push_back(TT_TRY(dim.ToUint64()));
  out.bytes = TT_TRY(json.GetUint64("bytes"));
  out.sha256 = TT_TRY(GetHash(json, "sha256"));
  return out;
}

Result<KnownAnswer> KatFrom(const Json& json) {
  KnownAnswer out;
  const std::string seed = TT_TRY(json.GetString("seed"));
  auto bytes = FromHexFixed<8>(seed);
  if (!bytes) return Bad("seed is not 8 bytes of hex");
  ByteReader reader(*bytes);
  out.seed = TT_TRY(reader.U64Be());
  out.n_tokens = TT_TRY(json.GetUint64("n_tokens"));
  out.output_sha256 = TT_TRY(GetHash(json, "output_sha256"));
  return out;
}

Result<Slot> SlotFrom(const Json& json) {
  Slot out;
  out.first_block = TT_TRY(json.GetUint64("first_block"));
  out.block_count = TT_TRY(json.GetUint64("block_count"));
  out.share = TT_TRY(json.GetUint64("share"));
  for (const Json& name : TT_TRY(json.GetArray("tensors"))->as_array()) {
    if (!name.is_string()) return Bad("a slot's tensors are not all names");
    out.tensors.push_back(name.as_string());
  }
  out.weights_root = TT_TRY(GetHash(json, "weights_root"));
  out.file = TT_TRY(json.GetString("file"));
  out.file_bytes = TT_TRY(json.GetUint64("file_bytes"));
  out.file_sha256 = TT_TRY(GetHash(json, "file_sha256"));
  for (const Json& kat : TT_TRY(json.GetArray("kats"))->as_array())
    out.kats.push_back(TT_TRY(KatFrom(kat)));
  return out;
}

Result<Manifest> ManifestFrom(const Json& json) {
  if (TT_TRY(json.GetUint64("version")) != kVersion)
    return Error(Code::kUnimplemented, "manifest: unknown version");
  if (TT_TRY(json.GetUint64("profile")) != kProfile) {
    return Error(Code::kUnimplemented, "manifest: unknown numeric profile");
  }
  Manifest out;
  out.name = TT_TRY(json.GetString("name"));
  if (json.Find("system")) out.system = TT_TRY(json.GetString("system"));
  for (const auto& [key, value] : TT_TRY(json.GetObject("config"))->as_object()) {
    if (!value.is_string()) return Bad("a value of config is not a string");
    out.config[key] = value.as_string();
  }
  out.tokenizer_sha256 = TT_TRY(GetHash(json, "tokenizer_sha256"));
  out.tensors_root = TT_TRY(GetHash(json, "tensors_root"));
  for (const Json& tensor : TT_TRY(json.GetArray("tensors"))->as_array()) {
    out.tensors.push_back(TT_TRY(TensorFrom(tensor)));
  }
  for (const Json& slot : TT_TRY(json.GetArray("slots"))->as_array())
    out.slots.push_back(TT_TRY(SlotFrom(slot)));
  return out;
}

}  // namespace

Result<Manifest> Manifest::Parse(ByteView bytes) {
  const Json json =
      TT_TRY(Json::Parse(AsText(bytes), {.max_bytes = Limits::kMaxBytes, .max_depth = 8}));
  auto manifest = ManifestFrom(json);
  if (!manifest) return manifest;
  // Writing it again must give the same bytes: this refuses other spellings, orders, spaces and
  // fields that we do not know.
  if (Text(*manifest) != AsText(bytes)) return Bad("not in canonical form, or with unknown fields");
  TT_RETURN_IF_ERROR(manifest->Check());
  return manifest;
}

Result<Bytes> Manifest::Serialise() const {
  TT_RETURN_IF_ERROR(Check());
  const std::string text = Text(*this);
  return ToBytes(AsBytes(text));
}

}  // namespace teetee::manifest
