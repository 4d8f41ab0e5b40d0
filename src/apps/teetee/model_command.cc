#include "apps/teetee/model_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "apps/teetee/cli.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "manifest/manifest.h"
#include "model/config.h"
#include "model/gguf.h"
#include "model/split.h"
#include "model/tokenizer.h"
#include "ops/isa.h"
#include "pipeline/verified_shard.h"
#include "protocol/model_params.h"

namespace teetee::cli {
namespace {

constexpr const char* kManifestName = "manifest.json";
constexpr uint64_t kPiece = 4u << 20;

// Makes manifest entries out of tensors that pass by in pieces.
class TensorHasher {
 public:
  explicit TensorHasher(ModelProgress progress) : progress_(std::move(progress)) {}
  void Begin(std::string what, uint64_t all_bytes) {
    what_ = std::move(what);
    all_ = all_bytes;
    done_ = 0;
  }

  Status Add(const model::TensorInfo& tensor, uint64_t begin, ByteView piece) {
    if (begin == 0) stream_ = crypto::Sha256Stream();
    stream_.Update(piece);
    done_ += piece.size();
    if (progress_) progress_(what_, done_, all_);
    if (begin + piece.size() < tensor.bytes) return Ok{};
    manifest::Tensor entry{tensor.name, std::string(ops::DTypeName(tensor.dtype)), tensor.dims,
                           tensor.bytes, stream_.Finish()};
    auto [it, added] = tensors_.try_emplace(tensor.name, entry);
    if (!added && it->second != entry) {  // a tied embedding passes twice
      return Error(Code::kDataLoss,
                   "tensor " + tensor.name + ": the file changed while it was read");
    }
    return Ok{};
  }

  std::vector<manifest::Tensor> Sorted() const {
    std::vector<manifest::Tensor> out;
    for (const auto& [name, tensor] : tensors_) out.push_back(tensor);
    return out;
  }

 private:
  ModelProgress progress_;
  std::string what_;
  uint64_t all_ = 0, done_ = 0;
  crypto::Sha256Stream stream_;
  std::map<std::string, manifest::Tensor> tensors_;
};

uint64_t TensorBytes(const std::vector<model::TensorInfo>& tensors) {
  uint64_t out = 0;
  for (const model::TensorInfo& tensor : tensors) out += tensor.bytes;
  return out;
}

Result<std::vector<manifest::Tensor>> HashTensors(const model::GgufFile& file,
                                                  const std::string& what,
                                                  const ModelProgress& progress) {
  TensorHasher hasher(progress);
  hasher.Begin(what, TensorBytes(file.tensors()));
  Bytes piece;
  for (const model::TensorInfo& tensor : file.tensors()) {
    for (uint64_t begin = 0; begin < tensor.bytes; begin += piece.size()) {
      piece.resize(std::min(kPiece, tensor.bytes - begin));
      TT_RETURN_IF_ERROR(file.ReadTensorPart(tensor, begin, piece));
      TT_RETURN_IF_ERROR(hasher.Add(tensor, begin, piece));
    }
  }
  return hasher.Sorted();
}

Hash32 TokenizerHash(const model::GgufFile& file) {
  return crypto::Sha256(model::CanonicalTokenizerBytes(file.metadata()));
}

// ---- split

Result<model::SplitPlan> PlanOf(const SplitRequest& request, const model::ModelConfig& config) {
  if (request.cuts.empty()) return model::SplitPlan::Even(config, std::max(request.slots, 1u));
  const std::vector<uint32_t> cuts = TT_TRY(model::ParseCuts(request.cuts));
  if (request.slots != 0 && request.slots != cuts.size() + 1) {
    return Error(Code::kInvalidArgument, std::to_string(cuts.size()) + " cuts make " +
                                             std::to_string(cuts.size() + 1) + " slots, not " +
                                             std::to_string(request.slots));
  }
  return model::SplitPlan::At(config, cuts);
}

// Writes one slot's file; the manifest's roots and tensor lists follow when all tensors are hashed.
Result<manifest::Slot> WriteSlot(const model::GgufFile& whole, const model::ModelConfig& config,
                                 const model::SplitPlan& plan, uint32_t index,
                                 const std::string& folder, TensorHasher& hasher) {
  const model::BlockRange& range = plan.slots()[index];
  manifest::Slot slot;
  slot.first_block = range.first;
  slot.block_count = slot.share = range.count;
  slot.file = "slot-" + std::to_string(index) + ".gguf";
  const model::GgufWriter header = TT_TRY(model::ShardHeader(whole, config, plan, index));
  for (const model::TensorInfo& tensor : header.tensors()) slot.tensors.push_back(tensor.name);
  std::sort(slot.tensors.begin(), slot.tensors.end());

  hasher.Begin("writing slot " + std::to_string(index), TensorBytes(header.tensors()));
  crypto::Sha256Stream file_hash;
  model::ShardObserver observer;
  observer.tensor = [&](const model::TensorInfo& tensor, uint64_t begin, ByteView piece) {
    return hasher.Add(tensor, begin, piece);
  };
  observer.file = [&](ByteView piece) -> Status {
    file_hash.Update(piece);
    slot.file_bytes += piece.size();
    return Ok{};
  };
  TT_RETURN_IF_ERROR(
      model::WriteShard(whole, config, plan, index, folder + "/" + slot.file, observer));
  slot.file_sha256 = file_hash.Finish();
  return slot;
}

Status FillRoots(manifest::Manifest& m) {
  m.tensors_root = manifest::WeightsRoot(m.tensors);
  for (manifest::Slot& slot : m.slots) {
    std::vector<manifest::Tensor> own;
    for (const std::string& name : slot.tensors) own.push_back(*TT_TRY(m.FindTensor(name)));
    slot.weights_root = manifest::WeightsRoot(std::move(own));
  }
  return Ok{};
}

Json SplitResult(const manifest::Manifest& m, ByteView document, const std::string& folder) {
  Json slots = Json::MakeArray();
  for (const manifest::Slot& slot : m.slots) {
    slots.Push(Json::MakeObject({{"file", folder + "/" + slot.file},
                                 {"first_block", slot.first_block},
                                 {"block_count", slot.block_count},
                                 {"bytes", slot.file_bytes},
                                 {"weights_root", ToHex0x(slot.weights_root)}}));
  }
  return Json::MakeObject({{"manifest", folder + "/" + kManifestName},
                           {"manifest_hash", ToHex0x(manifest::ManifestHash(document))},
                           {"tensors_root", ToHex0x(m.tensors_root)},
                           {"slots", slots}});
}

// ---- inspect

Json ShapeJson(const model::TensorInfo& tensor) {
  Json out = Json::MakeArray();
  for (uint64_t dim : tensor.dims) out.Push(dim);
  return out;
}

// The value of a short entry; of an array its type and length.
Json ValueJson(const model::GgufMetadata& metadata, const model::GgufMetadata::Entry& entry) {
  if (auto v = metadata.GetBool(entry.key)) return *v;
  if (auto v = metadata.GetI64(entry.key)) return *v;
  if (auto v = metadata.GetU64(entry.key)) return *v;
  if (auto v = metadata.GetF32(entry.key)) return double{*v};
  if (auto v = metadata.GetString(entry.key)) {
    const bool plain =
        std::all_of(v->begin(), v->end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (plain && v->size() <= 80) return *v;
    return "string of " + std::to_string(v->size()) + " bytes";
  }
  return std::to_string(entry.count) + " x " + std::string(model::GgufTypeName(entry.element_type));
}

// ---- verify

Error Fails(const std::string& check, const std::string& what) {
  return Error(Code::kDataLoss, "check " + check + ": " + what);
}

Status VerifyFileHash(const std::string& path, const manifest::Slot& slot) {
  crypto::Sha256Stream hash;
  uint64_t size = 0;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return Error(Code::kNotFound, "cannot open " + path);
  Bytes piece(kPiece);
  while (size_t n = std::fread(piece.data(), 1, piece.size(), file.get())) {
    hash.Update(ByteView(piece).first(n));
    size += n;
  }
  if (size != slot.file_bytes) return Fails("shard.bytes", path + " has another size");
  if (hash.Finish() != slot.file_sha256) return Fails("shard.file", path + " has another hash");
  return Ok{};
}

Status VerifySlot(const manifest::Manifest& m, uint32_t index, const std::string& folder,
                  const ModelProgress& progress) {
  const manifest::Slot& slot = m.slots[index];
  const std::string path = folder + "/" + slot.file;
  const model::GgufFile file = TT_TRY(model::GgufFile::Open(path));
  const model::ModelConfig config = TT_TRY(model::ModelConfig::From(file));
  if (model::CanonicalConfig(config) != m.config)
    return Fails("shard.config", path + " has another one");
  const model::BlockRange range = TT_TRY(model::RangeOf(file, config));
  if (range.first != slot.first_block || range.count != slot.block_count ||
      range.with_embedding != (index == 0) || range.with_head != (index + 1 == m.slots.size())) {
    return Fails("shard.range", path + " holds other blocks");
  }
  TT_RETURN_IF_ERROR(model::CheckTensors(file, config, range));
  const auto tensors = TT_TRY(HashTensors(file, "checking " + slot.file, progress));
  for (const manifest::Tensor& tensor : tensors) {
    auto wanted = m.FindTensor(tensor.name);
    if (!wanted || **wanted != tensor) {
      return Fails("shard.weights", path + ": tensor " + tensor.name + " is not the manifest's");
    }
  }
  if (manifest::WeightsRoot(tensors) != slot.weights_root) {
    return Fails("shard.weights", path + ": its tensors do not hash to the slot's root");
  }
  if (index == 0 && TokenizerHash(file) != m.tokenizer_sha256) {
    return Fails("shard.tokenizer", path + ": it is not the manifest's");
  }
  return VerifyFileHash(path, slot);
}

// ---- command line

ModelProgress TerminalProgress() {
  if (::isatty(STDERR_FILENO) == 0) return {};
  auto last = std::make_shared<std::string>();
  return [last](const std::string& what, uint64_t done, uint64_t all) {
    const uint64_t percent = all == 0 ? 100 : done * 100 / all;
    std::string line = what + ": " + std::to_string(percent) + " %";
    if (line == *last) return;
    *last = line;
    std::fprintf(stderr, "\r%s%s", line.c_str(), done == all ? "\n" : "");
  };
}

void PrintText(const Json& value, int depth) {
  for (const auto& [key, member] : value.as_object()) {
    const std::string indent(static_cast<size_t>(depth) * 2, ' ');
    if (member.is_object()) {
      std::printf("%s%s:\n", indent.c_str(), key.c_str());
      PrintText(member, depth + 1);
    } else if (member.is_array()) {
      std::printf("%s%s:\n", indent.c_str(), key.c_str());
      for (const Json& element : member.as_array())
        std::printf("%s  %s\n", indent.c_str(), element.Dump().c_str());
    } else {
      const std::string text = member.is_string() ? member.as_string() : member.Dump();
      std::printf("%s%s: %s\n", indent.c_str(), key.c_str(), text.c_str());
    }
  }
}

Status Show(Result<Json> result, bool json) {
  if (!result) return std::move(result).error();
  if (json) {
    PrintJson(*result);
  } else {
    PrintText(*result, 0);
  }
  return Ok{};
}

struct Options {
  SplitRequest split;
  std::string path;
  bool json = false;
};

CLI::App* AddPathCommand(CLI::App& model, const std::string& name, const std::string& about,
                         const std::string& what,
                         std::function<Result<Json>(const std::string&)> work) {
  auto o = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(name, about);
  command->add_option("file", o->path, what)->required();
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o, work = std::move(work)] { return Show(work(o->path), o->json); });
  return command;
}

// Two known answers a slot: one of a few tokens, one that crosses a border of KV pages.
Status FillKnownAnswers(manifest::Manifest& m, const std::string& folder) {
  for (size_t i = 0; i < m.slots.size(); ++i) {
    const auto file = TT_TRY(model::GgufFile::Open(folder + "/" + m.slots[i].file));
    for (uint64_t tokens : {uint64_t{5}, uint64_t{20}}) {
      m.slots[i].kats.push_back(TT_TRY(pipeline::MakeKnownAnswer(file, 1000 * (i + 1) + tokens, tokens, ops::BestIsa())));
    }
  }
  return Ok{};
}

void AddSplit(CLI::App& model) {
  auto o = std::make_shared<Options>();
  CLI::App* command =
      model.add_subcommand("split", "cut a model into one file per slot and write its manifest");
  command->add_option("model", o->split.model, "GGUF file of a whole model")->required();
  command->add_option("--slots", o->split.slots, "number of slots, with blocks divided evenly");
  command->add_option("--cut", o->split.cuts, "first blocks of slots 1, 2, ...: 12,20");
  command->add_option("--name", o->split.name, "name of the model in the API (default: the file's)");
  command->add_option("--system", o->split.system, "system message for conversations that bring none (default: the template's own)");
  command->add_option("-o,--output", o->split.folder, "folder for the files")->required();
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Show(SplitModel(o->split, TerminalProgress()), o->json); });
}

}  // namespace

Result<Json> SplitModel(const SplitRequest& request, const ModelProgress& progress) {
  const model::GgufFile whole = TT_TRY(model::GgufFile::Open(request.model));
  const model::ModelConfig config = TT_TRY(model::ModelConfig::From(whole));
  const model::SplitPlan plan = TT_TRY(PlanOf(request, config));
  TT_TRY(model::ShardHeader(whole, config, plan, 0));  // refuses a shard before anything is written
  TT_TRY(model::Tokenizer::From(whole.metadata()));    // slot 0 will need it: better refused now
  TT_RETURN_IF_ERROR(MakeDirectories(request.folder));

  manifest::Manifest m;
  m.name = request.name.empty() ? config.name : request.name;
  m.system = request.system;
  m.config = model::CanonicalConfig(config);
  m.tokenizer_sha256 = TokenizerHash(whole);
  TensorHasher hasher(progress);
  for (uint32_t slot = 0; slot < plan.slots().size(); ++slot) {
    m.slots.push_back(TT_TRY(WriteSlot(whole, config, plan, slot, request.folder, hasher)));
  }
  m.tensors = hasher.Sorted();
  TT_RETURN_IF_ERROR(FillRoots(m));
  TT_RETURN_IF_ERROR(FillKnownAnswers(m, request.folder));
  const Bytes document = TT_TRY(m.Serialise());
  TT_RETURN_IF_ERROR(WriteFileAtomic(request.folder + "/" + kManifestName, document));
  return SplitResult(m, document, request.folder);
}

Result<Json> InspectModel(const std::string& path) {
  const model::GgufFile file = TT_TRY(model::GgufFile::Open(path));
  Json metadata = Json::MakeObject(), tensors = Json::MakeArray(), config = Json::MakeObject();
  for (const auto& entry : file.metadata().entries())
    metadata.Set(entry.key, ValueJson(file.metadata(), entry));
  for (const model::TensorInfo& tensor : file.tensors()) {
    tensors.Push(Json::MakeObject({{"name", tensor.name},
                                   {"dtype", ops::DTypeName(tensor.dtype)},
                                   {"dims", ShapeJson(tensor)},
                                   {"offset", tensor.offset},
                                   {"bytes", tensor.bytes}}));
  }
  Json out = Json::MakeObject({{"file_bytes", file.file_bytes()}, {"version", file.version()}});
  if (auto known = model::ModelConfig::From(file)) {
    for (const auto& [key, value] : model::CanonicalConfig(*known)) config.Set(key, value);
    out.Set("config", config);
  } else {
    out.Set("config_error", known.error().message());
  }
  return out.Set("metadata", metadata).Set("tensors", tensors);
}

namespace {

// A manifest, or the parameters of a model on chain, which name the manifest.
Result<Json> HashDocument(const Bytes& document) {
  const auto json = Json::Parse(AsText(document));
  if (json && json->Find("verifier") != nullptr) {
    const chain::Model parameters = TT_TRY(protocol::ModelParamsFromJson(*json));
    return Json::MakeObject({{"model_id", ToHex0x(chain::ModelId(parameters))}});
  }
  const manifest::Manifest m = TT_TRY(manifest::Manifest::Parse(document));
  return Json::MakeObject({{"manifest_hash", ToHex0x(manifest::ManifestHash(document))},
                           {"tensors_root", ToHex0x(m.tensors_root)}});
}

}  // namespace

Result<Json> HashModel(const std::string& path, const ModelProgress& progress) {
  auto file = model::GgufFile::Open(path);
  if (!file) {
    const Bytes document = TT_TRY(ReadFile(path, manifest::Limits::kMaxBytes));
    if (document.empty() || document[0] != '{') return std::move(file).error();
    return HashDocument(document);
  }
  const auto tensors = TT_TRY(HashTensors(*file, "hashing", progress));
  Json out = Json::MakeObject(), list = Json::MakeObject();
  if (!tensors.empty()) out.Set("tensors_root", ToHex0x(manifest::WeightsRoot(tensors)));
  out.Set("tokenizer_sha256", ToHex0x(TokenizerHash(*file)));
  for (const manifest::Tensor& tensor : tensors) list.Set(tensor.name, ToHex0x(tensor.sha256));
  return out.Set("tensors", list);
}

Result<Json> VerifyModel(const std::string& path, const ModelProgress& progress) {
  const bool is_folder = std::filesystem::is_directory(path);
  const std::string document_path = is_folder ? path + "/" + kManifestName : path;
  std::string folder = is_folder ? path : std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const Bytes document = TT_TRY(ReadFile(document_path, manifest::Limits::kMaxBytes));
  const manifest::Manifest m = TT_TRY(manifest::Manifest::Parse(document));
  for (uint32_t slot = 0; slot < m.slots.size(); ++slot) {
    TT_RETURN_IF_ERROR(VerifySlot(m, slot, folder, progress));
  }
  return Json::MakeObject({{"ok", true},
                           {"slots", uint64_t{m.slots.size()}},
                           {"manifest_hash", ToHex0x(manifest::ManifestHash(document))}});
}

void AddModelCommands(CLI::App& app) {
  CLI::App* model = app.add_subcommand("model", "split, inspect, hash and verify model files");
  model->require_subcommand(1);
  AddSplit(*model);
  AddPathCommand(*model, "inspect", "what a GGUF file holds", "GGUF file",
                 [](const std::string& path) { return InspectModel(path); });
  AddPathCommand(*model, "hash", "hashes of a GGUF file or of a manifest; the id of a model on chain",
                 "GGUF file, manifest.json, or the model's parameters (--model-params of a node)",
                 [](const std::string& path) { return HashModel(path, TerminalProgress()); });
  AddPathCommand(*model, "verify", "check the files of a split against their manifest",
                 "manifest.json or its folder",
                 [](const std::string& path) { return VerifyModel(path, TerminalProgress()); });
}

}  // namespace teetee::cli
