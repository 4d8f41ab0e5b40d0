#include "chain/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/json.h"

namespace teetee::chain {
namespace {

Error Damaged(const std::string& path, const std::string& why) {
  return Error(Code::kDataLoss, "journal " + path + ": " + why);
}

Json Header(uint64_t chain_id, const Address& account, uint64_t next_id) {
  return Json::MakeObject({{"op", "header"},
                           {"v", 1},
                           {"chain_id", chain_id},
                           {"account", ToHex0x(account)},
                           {"next_id", next_id}});
}

Json SubmitLine(uint64_t id, const TxIntent& intent) {
  return Json::MakeObject({{"op", "submit"},
                           {"id", id},
                           {"to", ToHex0x(intent.to)},
                           {"value", intent.value.Decimal()},
                           {"data", ToHex0x(intent.data)},
                           {"label", intent.label}});
}

Json SignLine(uint64_t id, const SignedTx& tx) {
  return Json::MakeObject({{"op", "sign"}, {"id", id}, {"raw", ToHex0x(tx.raw)}});
}

Result<TxIntent> IntentFrom(const Json& json) {
  TxIntent out;
  const std::string to = TT_TRY(json.GetString("to"));
  out.to = TT_TRY(FromHexFixed<20>(to));
  const std::string value = TT_TRY(json.GetString("value"));
  out.value = TT_TRY(Wei::ParseDecimal(value));
  const std::string data = TT_TRY(json.GetString("data"));
  out.data = TT_TRY(FromHex(data));
  out.label = TT_TRY(json.GetString("label"));
  return out;
}

Result<OpenIntent::Attempt> AttemptFrom(const Bytes& raw) {
  const DecodedTx decoded = TT_TRY(DecodeSignedTx(raw));
  const Tx& tx = decoded.tx;
  return OpenIntent::Attempt{
      tx.nonce, tx.max_fee, tx.max_priority_fee, tx.gas, {decoded.hash, raw}};
}

}  // namespace

TxJournal::~TxJournal() {
  if (fd_ >= 0) ::close(fd_);
}
TxJournal::TxJournal(TxJournal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      next_id_(other.next_id_),
      open_(std::move(other.open_)) {}

Result<TxJournal> TxJournal::Open(const std::string& path, uint64_t chain_id,
                                  const Address& account) {
  TxJournal out(path);
  if (FileExists(path)) {
    const Bytes content = TT_TRY(ReadFile(path));
    TT_RETURN_IF_ERROR(out.Load(AsText(content), chain_id, account));
  }
  // A journal starts small: what is done is left behind.
  TT_RETURN_IF_ERROR(out.Rewrite(chain_id, account));
  out.fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (out.fd_ < 0) return Error(Code::kUnavailable, "journal " + path + ": cannot be opened");
  return out;
}

Status TxJournal::Load(std::string_view content, uint64_t chain_id, const Address& account) {
  bool first = true;
  while (!content.empty()) {
    const size_t end = content.find('\n');
    if (end == std::string_view::npos) break;  // torn by a crash, so nothing depends on it
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end + 1);
    if (!first) {
      Status replayed = Replay(line);
      if (!replayed) return Damaged(path_, replayed.error().message());
      continue;
    }
    first = false;
    auto header = Json::Parse(line);
    if (!header) return Damaged(path_, "no header");
    auto chain = header->GetUint64("chain_id");
    auto owner = header->GetString("account");
    auto next = header->GetUint64("next_id");
    if (!chain || !owner || !next) return Damaged(path_, "no header");
    if (*chain != chain_id || *owner != ToHex0x(account)) {
      return Error(Code::kFailedPrecondition,
                   "journal " + path_ + ": belongs to another chain or account");
    }
    next_id_ = *next;
  }
  return Ok{};
}

Status TxJournal::Replay(std::string_view line) {
  const Json json = TT_TRY(Json::Parse(line));
  const std::string op = TT_TRY(json.GetString("op"));
  const uint64_t id = TT_TRY(json.GetUint64("id"));
  if (op == "submit") {
    open_[id].intent = TT_TRY(IntentFrom(json));
    next_id_ = std::max(next_id_, id + 1);
    return Ok{};
  }
  auto found = open_.find(id);
  if (found == open_.end()) return Error(Code::kDataLoss, "a line about an unknown intent");
  if (op == "done") {
    open_.erase(found);
    return Ok{};
  }
  if (op != "sign") return Error(Code::kDataLoss, "an unknown line");
  const std::string text = TT_TRY(json.GetString("raw"));
  const Bytes raw = TT_TRY(FromHex(text));
  found->second.attempts.push_back(TT_TRY(AttemptFrom(raw)));
  return Ok{};
}

Status TxJournal::Rewrite(uint64_t chain_id, const Address& account) {
  std::string text = Header(chain_id, account, next_id_).Dump() + "\n";
  for (const auto& [id, open] : open_) {
    text += SubmitLine(id, open.intent).Dump() + "\n";
    for (const auto& attempt : open.attempts) text += SignLine(id, attempt.tx).Dump() + "\n";
  }
  return WriteFileAtomic(path_, AsBytes(text), 0600);
}

Status TxJournal::Append(const std::string& line) {
  const std::string text = line + "\n";
  const ssize_t written = ::write(fd_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || ::fdatasync(fd_) != 0) {
    return Error(Code::kUnavailable, "journal " + path_ + ": cannot be written");
  }
  return Ok{};
}

Status TxJournal::Submitted(uint64_t id, const TxIntent& intent) {
  TT_RETURN_IF_ERROR(Append(SubmitLine(id, intent).Dump()));
  open_[id].intent = intent;
  next_id_ = std::max(next_id_, id + 1);
  return Ok{};
}

Status TxJournal::Signed(uint64_t id, const SignedTx& tx) {
  OpenIntent::Attempt attempt = TT_TRY(AttemptFrom(tx.raw));
  TT_RETURN_IF_ERROR(Append(SignLine(id, tx).Dump()));
  open_[id].attempts.push_back(std::move(attempt));
  return Ok{};
}

Status TxJournal::Done(uint64_t id) {
  TT_RETURN_IF_ERROR(Append(Json::MakeObject({{"op", "done"}, {"id", id}}).Dump()));
  open_.erase(id);
  return Ok{};
}

}  // namespace teetee::chain
