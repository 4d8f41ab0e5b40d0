#include "client/wallet.h"

#include "base/file.h"
#include "chain/contracts.h"
#include "chain/model_id.h"
#include "crypto/key_file.h"
#include "crypto/random.h"
#include "protocol/fields.h"
#include "protocol/receipt.h"

namespace teetee::client {

using chain::Wei;

namespace {

constexpr uint64_t kStrictSeconds = 900;  // from opening to the deadline, if the model's timeout is shorter

std::string SessionFile(const WalletSettings& settings, const Hash32& line) {
  return settings.state + "/session-" + ToHex(line).substr(0, 16) + ".key";
}

Result<Wei> Sum(Wei a, Wei b, Wei c) { return TT_TRY(a.Plus(b)).Plus(c); }

}  // namespace

Wallet::Wallet(const net::Executor& executor, chain::Rpc& rpc, const attest::TrustFile& trust, const crypto::Address& address,
               WalletSettings settings)
    : rpc_(rpc),
      trust_(trust),
      address_(address),
      settings_(std::move(settings)),
      domain_(chain::Domain::Ledger(trust.chain_id(), trust.ledger())),
      mutex_(executor) {}

Result<std::unique_ptr<Wallet>> Wallet::Open(const net::Executor& executor, chain::Rpc& rpc, const attest::TrustFile& trust,
                                             crypto::SigningKey key, WalletSettings settings) {
  TT_RETURN_IF_ERROR(MakeDirectories(settings.state));
  std::unique_ptr<Wallet> wallet(new Wallet(executor, rpc, trust, key.address(), std::move(settings)));
  TT_RETURN_IF_ERROR(wallet->Load());
  chain::SenderOptions options;
  options.chain_id = trust.chain_id();
  options.journal_path = wallet->settings_.state + "/transactions-" + ToHex(key.address()).substr(0, 12) + ".jsonl";
  options.poll = net::Millis(300);
  wallet->sender_ = TT_TRY(chain::Sender::Open(&rpc, std::move(key), options));
  return wallet;
}

// ---------------------------------------------------------------- counts

Status Wallet::Load() {
  const std::string path = settings_.state + "/tabs.json";
  if (!FileExists(path)) return Ok{};
  Bytes bytes = TT_TRY(ReadFile(path));
  Json json = TT_TRY(Json::Parse(AsText(bytes), {.max_bytes = 16u << 20}));
  for (const Json& item : TT_TRY(json.GetArray("tabs"))->as_array()) {
    Hash32 model = TT_TRY(protocol::GetHex<32>(item, "model"));
    crypto::Address head = TT_TRY(protocol::GetHex<20>(item, "head"));
    Line* line = TT_TRY(LineFor(model, head));
    line->epoch = static_cast<uint32_t>(TT_TRY(protocol::GetBounded(item, "epoch", UINT32_MAX)));
    line->used = TT_TRY(protocol::GetWei(item, "used"));
  }
  return Ok{};
}

Status Wallet::Save() const {
  Json list = Json::MakeArray();
  for (const auto& [id, line] : lines_) {
    list.Push(Json::MakeObject({{"model", ToHex0x(line.model)}, {"head", ToHex0x(line.head)}, {"epoch", line.epoch}, {"used", line.used.Decimal()}}));
  }
  std::string text = Json::MakeObject({{"tabs", std::move(list)}}).DumpPretty();
  return WriteFileAtomic(settings_.state + "/tabs.json", AsBytes(text), 0600);
}

Result<Wallet::Line*> Wallet::LineFor(const Hash32& model, const crypto::Address& head) {
  Hash32 id = chain::LineOf(model, head);
  auto found = lines_.find(id);
  if (found != lines_.end()) return &found->second;
  Line line;
  line.model = model;
  line.head = head;
  line.session = std::make_shared<crypto::SigningKey>(TT_TRY(crypto::LoadOrCreateSigningKey(SessionFile(settings_, id))));
  return &lines_.emplace(id, std::move(line)).first->second;
}

std::vector<std::pair<Hash32, crypto::Address>> Wallet::Lines() const {
  std::vector<std::pair<Hash32, crypto::Address>> out;
  for (const auto& [id, line] : lines_) out.emplace_back(line.model, line.head);
  return out;
}

// ---------------------------------------------------------------- chain

net::Task<Result<Wei>> Wallet::Credits() { return rpc_.Read(trust_.ledger(), chain::ledger::BalanceOf(address_)); }
net::Task<Result<Wei>> Wallet::Ether() { return rpc_.GetBalance(address_, chain::BlockId::Latest()); }

net::Task<Status> Wallet::Send(chain::TxIntent intent) {
  std::string label = intent.label;
  auto outcome = co_await sender_->SubmitAndWait(std::move(intent), settings_.chain_limit);
  if (!outcome) co_return std::move(outcome).error().Context(label);
  if (outcome->state != chain::TxState::kMined) co_return Error(Code::kFailedPrecondition, label + ": " + outcome->why);
  co_return Ok{};
}

net::Task<Status> Wallet::EnsureCredits(Wei amount) {
  auto credits = co_await Credits();
  TT_CO_CHECK(credits);
  if (*credits >= amount) co_return Ok{};
  Wei missing = *amount.Minus(*credits);
  auto ether = co_await Ether();
  TT_CO_CHECK(ether);
  if (*ether <= missing) {
    co_return Error(Code::kPaymentRequired, "account " + crypto::AddressText(address_) + " has " + ether->Eth() + ", and needs " + missing.Eth() +
                                                " more for credits (and some for gas)");
  }
  chain::TxIntent buy;
  buy.to = trust_.ledger();
  buy.value = missing;
  buy.data = chain::ledger::Buy(address_);
  buy.label = "buy credits";
  co_return co_await Send(std::move(buy));
}

net::Task<Status> Wallet::EnsureFunded(Line& line, const Hash32& id, Wei wanted_most) {
  auto tab = co_await rpc_.Read(trust_.ledger(), chain::ledger::TabOf(address_, id));
  if (!tab) co_return Error(Code::kUnavailable, "the chain cannot be asked about your tab now");
  bool exists = !crypto::IsZero(tab->signer);
  if (exists && tab->signer != line.session->address()) {
    co_return Error(Code::kFailedPrecondition, "the tab on this line is signed for by another session key: close it first (teetee credits close)");
  }
  if (tab->epoch != line.epoch || !exists) {  // a new epoch starts from nothing
    if (tab->epoch != line.epoch) line.used = Wei();
    line.epoch = tab->epoch;
  }
  if (tab->spent > line.used) line.used = tab->spent;
  auto wanted = Sum(line.used, line.in_flight, wanted_most);
  TT_CO_CHECK(wanted);
  if (exists && tab->funded >= *wanted && tab->close_at == 0) co_return Ok{};
  Wei missing = *wanted > tab->funded ? *wanted->Minus(tab->funded) : Wei(1);
  Wei amount = missing > settings_.top_up ? missing : settings_.top_up;
  Status credits = co_await EnsureCredits(amount);
  TT_CO_CHECK(credits);
  chain::TxIntent fund;
  fund.to = trust_.ledger();
  fund.data = chain::ledger::Fund(line.model, line.head, amount, line.session->address());
  fund.label = "fund the tab";
  Status sent = co_await Send(std::move(fund));
  TT_CO_CHECK(sent);
  auto after = co_await rpc_.Read(trust_.ledger(), chain::ledger::TabOf(address_, id));
  TT_CO_CHECK(after);
  line.epoch = after->epoch;
  co_return Save();
}

// ---------------------------------------------------------------- vouchers

Result<Voucher> Wallet::Sign(Line& line, const Hash32& id, Wei most) {
  Wei total = TT_TRY(Sum(line.used, line.in_flight, most));
  line.in_flight = TT_TRY(line.in_flight.Plus(most));
  Voucher out;
  out.reserved = most;
  out.payment = {address_, line.epoch, total, {}};
  out.payment.signature = chain::SignTyped(domain_, chain::Voucher{address_, id, line.epoch, total}, *line.session);
  return out;
}

net::Task<Result<Voucher>> Wallet::Cover(Hash32 model, crypto::Address head, Wei most) {
  auto guard = co_await mutex_.Lock();
  auto line = LineFor(model, head);
  TT_CO_CHECK(line);
  Hash32 id = chain::LineOf(model, head);
  Status funded = co_await EnsureFunded(**line, id, most);
  TT_CO_CHECK(funded);
  co_return Sign(**line, id, most);
}

net::Task<Result<Voucher>> Wallet::Raise(Hash32 model, crypto::Address head, Voucher voucher, Wei most) {
  Status undone = Settle(chain::LineOf(model, head), voucher, Wei());
  TT_CO_CHECK(undone);
  co_return co_await Cover(model, head, most);
}

Status Wallet::Settle(const Hash32& id, const Voucher& voucher, Wei cost) {
  auto found = lines_.find(id);
  if (found == lines_.end()) return Error(Code::kInternal, "no such line");
  Line& line = found->second;
  line.in_flight = TT_TRY(line.in_flight.Minus(voucher.reserved));
  if (voucher.payment.epoch != line.epoch) return Ok{};
  if (cost > voucher.reserved) return Error(Code::kDataLoss, "check receipt.cost: above what the voucher allowed");
  if (cost.is_zero()) return Ok{};
  line.used = TT_TRY(line.used.Plus(cost));
  return Save();
}

net::Task<Result<protocol::TabPayment>> Wallet::Name(Hash32 model, crypto::Address head) {
  auto guard = co_await mutex_.Lock();
  auto line = LineFor(model, head);
  TT_CO_CHECK(line);
  Hash32 id = chain::LineOf(model, head);
  auto tab = co_await rpc_.Read(trust_.ledger(), chain::ledger::TabOf(address_, id));
  TT_CO_CHECK(tab);
  if (crypto::IsZero(tab->signer)) co_return Error(Code::kNotFound, "there is no open tab on this line");
  protocol::TabPayment payment{address_, tab->epoch, (*line)->used, {}};
  payment.signature = chain::SignTyped(domain_, chain::Voucher{address_, id, tab->epoch, payment.total}, *(*line)->session);
  co_return payment;
}

net::Task<Result<TabStatus>> Wallet::Tab(Hash32 model, crypto::Address head) {
  TabStatus out;
  out.line = chain::LineOf(model, head);
  auto tab = co_await rpc_.Read(trust_.ledger(), chain::ledger::TabOf(address_, out.line));
  TT_CO_CHECK(tab);
  out.tab = *tab;
  if (auto found = lines_.find(out.line); found != lines_.end()) {
    out.used = found->second.used;
    out.in_flight = found->second.in_flight;
  }
  co_return out;
}

// ---------------------------------------------------------------- strict mode

net::Task<Result<chain::Query>> Wallet::OpenQuery(Hash32 model, crypto::Address head, Hash32 input, Wei most) {
  Status credits = co_await EnsureCredits(most);
  TT_CO_CHECK(credits);
  auto timeout = co_await rpc_.Read(trust_.registry(), chain::registry::TimeoutOf(model));
  TT_CO_CHECK(timeout);
  auto block = co_await rpc_.GetBlock(chain::BlockId::Latest());
  TT_CO_CHECK(block);
  if (!*block) co_return Error(Code::kUnavailable, "the chain has no latest block");
  chain::Query query;
  query.user = address_;
  query.model = model;
  query.head = head;
  query.input = input;
  query.max_cost = most;
  query.deadline = (*block)->timestamp + std::max<uint64_t>(*timeout + 60, kStrictSeconds);
  crypto::RandomBytes(reinterpret_cast<uint8_t*>(&query.nonce), sizeof query.nonce);
  query.nonce >>= 1;  // JSON readers elsewhere know 63 bits
  chain::TxIntent open;
  open.to = trust_.ledger();
  open.data = chain::ledger::Open(query);
  open.label = "open the query";
  Status sent = co_await Send(std::move(open));
  TT_CO_CHECK(sent);
  co_return query;
}

net::Task<Status> Wallet::Refund(chain::Query query) {
  chain::TxIntent refund;
  refund.to = trust_.ledger();
  refund.data = chain::ledger::Refund(query);
  refund.label = "refund the query";
  co_return co_await Send(std::move(refund));
}

}  // namespace teetee::client
