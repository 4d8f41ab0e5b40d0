#include "chain/events.h"

#include <array>
#include <iterator>

#include "chain/abi.h"
#include "chain/contracts.h"

namespace teetee::chain {
namespace {

constexpr size_t kMaxTopics = 4;

// Indexed values lie in topics 1 to 3, the others in the data. One reader each; topics are laid out
// as words.
struct Fields {
  AbiReader topics;
  AbiReader data;
};

Result<uint32_t> Uint32(AbiReader* in) { return static_cast<uint32_t>(TT_TRY(in->Uint64(32))); }

Result<Skip> ReadSkip(AbiReader* in) {
  const uint64_t value = TT_TRY(in->Uint64(8));
  if (value > static_cast<uint64_t>(Skip::kNotAdmitted)) {
    return Error(Code::kInvalidArgument, "event: unknown reason for a skip");
  }
  return static_cast<Skip>(value);
}

Result<Model> ReadModel(AbiReader* in) {
  Model out;
  out.manifest = TT_TRY(in->Raw());
  out.verifier = TT_TRY(in->Addr());
  out.price_in = TT_TRY(in->Uint64());
  out.price_out = TT_TRY(in->Uint64());
  out.timeout = TT_TRY(Uint32(in));
  out.lease = TT_TRY(Uint32(in));
  const AbiReader::Array slots = TT_TRY(in->StaticArray(2, kMaxSlots));
  for (size_t i = 0; i < slots.count; ++i) {
    const Uint128 share = TT_TRY(Uint128Of(slots.words[2 * i + 1]));
    if (share > ~uint32_t{0}) return Error(Code::kInvalidArgument, "event: a share over 32 bits");
    out.slots.push_back({slots.words[2 * i], static_cast<uint32_t>(share)});
  }
  return out;
}

Result<Query> ReadQuery(AbiReader* in) {
  Query q;
  q.user = TT_TRY(in->Addr());
  q.model = TT_TRY(in->Raw());
  q.head = TT_TRY(in->Addr());
  q.input = TT_TRY(in->Raw());
  q.max_cost = TT_TRY(in->Amount());
  q.deadline = TT_TRY(in->Uint64());
  q.nonce = TT_TRY(in->Uint64());
  return q;
}

Result<Receipt> ReadReceipt(AbiReader* in) {
  Receipt r;
  r.query = TT_TRY(in->Raw());
  r.line = TT_TRY(in->Raw());
  r.input = TT_TRY(in->Raw());
  r.output = TT_TRY(in->Raw());
  r.tokens_in = TT_TRY(Uint32(in));
  r.tokens_out = TT_TRY(Uint32(in));
  r.cost = TT_TRY(in->Amount());
  r.transcript = TT_TRY(in->Raw());
  return r;
}

Result<Event> ReadModelAdded(Fields& f) {
  ModelAdded e;
  e.model = TT_TRY(f.topics.Raw());
  e.family = TT_TRY(f.topics.Bytes26());
  AbiReader params = TT_TRY(f.data.Tuple());
  e.params = TT_TRY(ReadModel(&params));
  return Event(std::move(e));
}
Result<Event> ReadNodeJoined(Fields& f) {
  NodeJoined e;
  e.key = TT_TRY(f.topics.Addr());
  e.host = TT_TRY(f.topics.Addr());
  e.family = TT_TRY(f.topics.Bytes26());
  e.slot = static_cast<uint8_t>(TT_TRY(f.data.Uint64(8)));
  e.model = TT_TRY(f.data.Raw());
  e.quote = TT_TRY(f.data.Raw());
  e.url = TT_TRY(f.data.Text(kMaxUrlBytes));
  e.until = TT_TRY(f.data.Uint64(40));
  return Event(std::move(e));
}
Result<Event> ReadNodeLeft(Fields& f) { return Event(NodeLeft{TT_TRY(f.topics.Addr())}); }
Result<Event> ReadUrlSet(Fields& f) {
  UrlSet e;
  e.key = TT_TRY(f.topics.Addr());
  e.url = TT_TRY(f.data.Text(kMaxUrlBytes));
  return Event(std::move(e));
}
Result<Event> ReadBought(Fields& f) {
  Bought e;
  e.payer = TT_TRY(f.topics.Addr());
  e.user = TT_TRY(f.topics.Addr());
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadWithdrawn(Fields& f) {
  Withdrawn e;
  e.user = TT_TRY(f.topics.Addr());
  e.to = TT_TRY(f.topics.Addr());
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadOpened(Fields& f) {
  Opened e;
  e.query = TT_TRY(f.topics.Raw());
  e.user = TT_TRY(f.topics.Addr());
  e.model = TT_TRY(f.topics.Raw());
  e.q = TT_TRY(ReadQuery(&f.data));
  return Event(e);
}
Result<Event> ReadServed(Fields& f) {
  Served e;
  e.query = TT_TRY(f.topics.Raw());
  e.line = TT_TRY(f.topics.Raw());
  e.receipt_hash = TT_TRY(f.data.Raw());
  e.receipt = TT_TRY(ReadReceipt(&f.data));
  return Event(e);
}
Result<Event> ReadRefunded(Fields& f) {
  Refunded e;
  e.query = TT_TRY(f.topics.Raw());
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadTabFunded(Fields& f) {
  TabFunded e;
  e.user = TT_TRY(f.topics.Addr());
  e.line = TT_TRY(f.topics.Raw());
  e.model = TT_TRY(f.data.Raw());
  e.head = TT_TRY(f.data.Addr());
  e.amount = TT_TRY(f.data.Amount());
  e.signer = TT_TRY(f.data.Addr());
  e.epoch = TT_TRY(Uint32(&f.data));
  return Event(e);
}
Result<Event> ReadTabClosing(Fields& f) {
  TabClosing e;
  e.user = TT_TRY(f.topics.Addr());
  e.line = TT_TRY(f.topics.Raw());
  e.close_at = TT_TRY(f.data.Uint64(48));
  return Event(e);
}
Result<Event> ReadTabClosed(Fields& f) {
  TabClosed e;
  e.user = TT_TRY(f.topics.Addr());
  e.line = TT_TRY(f.topics.Raw());
  e.epoch = TT_TRY(Uint32(&f.data));
  e.rest = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadCharged(Fields& f) {
  Charged e;
  e.user = TT_TRY(f.topics.Addr());
  e.line = TT_TRY(f.topics.Raw());
  e.epoch = TT_TRY(Uint32(&f.data));
  e.spent = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadChargeSkipped(Fields& f) {
  ChargeSkipped e;
  e.user = TT_TRY(f.topics.Addr());
  e.line = TT_TRY(f.topics.Raw());
  e.why = TT_TRY(ReadSkip(&f.data));
  return Event(e);
}
Result<Event> ReadWorkSkipped(Fields& f) {
  WorkSkipped e;
  e.line = TT_TRY(f.topics.Raw());
  e.key = TT_TRY(f.topics.Addr());
  e.why = TT_TRY(ReadSkip(&f.data));
  return Event(e);
}
Result<Event> ReadBatched(Fields& f) {
  Batched e;
  e.line = TT_TRY(f.topics.Raw());
  e.seq = TT_TRY(f.topics.Uint64());
  e.root = TT_TRY(f.data.Raw());
  e.count = TT_TRY(Uint32(&f.data));
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadEarned(Fields& f) {
  Earned e;
  e.line = TT_TRY(f.topics.Raw());
  e.key = TT_TRY(f.topics.Addr());
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}
Result<Event> ReadCollected(Fields& f) {
  Collected e;
  e.line = TT_TRY(f.topics.Raw());
  e.key = TT_TRY(f.topics.Addr());
  e.host = TT_TRY(f.topics.Addr());
  e.amount = TT_TRY(f.data.Amount());
  return Event(e);
}

struct Known {
  std::string_view signature;
  Result<Event> (*read)(Fields&);
};
constexpr Known kKnown[] = {
    {"ModelAdded(bytes32,bytes26,(bytes32,address,uint64,uint64,uint32,uint32,(bytes32,uint32)[]))",
     ReadModelAdded},
    {"NodeJoined(address,address,bytes26,uint8,bytes32,bytes32,string,uint40)", ReadNodeJoined},
    {"NodeLeft(address)", ReadNodeLeft},
    {"UrlSet(address,string)", ReadUrlSet},
    {"Bought(address,address,uint256)", ReadBought},
    {"Withdrawn(address,address,uint256)", ReadWithdrawn},
    {"Opened(bytes32,address,bytes32,(address,bytes32,address,bytes32,uint128,uint64,uint64))",
     ReadOpened},
    {"Served(bytes32,bytes32,bytes32,(bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint128,"
     "bytes32))",
     ReadServed},
    {"Refunded(bytes32,uint256)", ReadRefunded},
    {"TabFunded(address,bytes32,bytes32,address,uint256,address,uint32)", ReadTabFunded},
    {"TabClosing(address,bytes32,uint48)", ReadTabClosing},
    {"TabClosed(address,bytes32,uint32,uint256)", ReadTabClosed},
    {"Charged(address,bytes32,uint32,uint128)", ReadCharged},
    {"ChargeSkipped(address,bytes32,uint8)", ReadChargeSkipped},
    {"WorkSkipped(bytes32,address,uint8)", ReadWorkSkipped},
    {"Batched(bytes32,uint64,bytes32,uint32,uint256)", ReadBatched},
    {"Earned(bytes32,address,uint256)", ReadEarned},
    {"Collected(bytes32,address,address,uint256)", ReadCollected},
};

using Topics = std::array<Hash32, std::size(kKnown)>;
const Topics& KnownTopics() {
  static const Topics topics = [] {  // constant; hashed once, not per log
    Topics out;
    for (size_t i = 0; i < out.size(); ++i) out[i] = EventTopicOf(kKnown[i].signature);
    return out;
  }();
  return topics;
}

template <size_t N>
Result<ByteArray<N>> FixedMember(const Json& json, std::string_view key) {
  const std::string text = TT_TRY(json.GetString(key));
  return FromHexFixed<N>(text);
}

Result<uint64_t> QuantityMember(const Json& json, std::string_view key) {
  const std::string text = TT_TRY(json.GetString(key));
  return ParseQuantity64(text);
}

}  // namespace

Result<std::optional<Event>> DecodeEvent(const LogEntry& log) {
  if (log.topics.empty()) return std::optional<Event>();
  const Topics& topics = KnownTopics();
  for (size_t i = 0; i < std::size(kKnown); ++i) {
    if (topics[i] != log.topics[0]) continue;
    const Known& known = kKnown[i];
    ByteWriter words;
    for (size_t t = 1; t < log.topics.size(); ++t) words.Raw(log.topics[t]);
    const Bytes topic_words = words.Take();
    Fields fields{AbiReader(topic_words), AbiReader(log.data)};
    auto event = known.read(fields);
    if (!event) {
      return std::move(event).error().Context(known.signature.substr(0, known.signature.find('(')));
    }
    return std::optional<Event>(*std::move(event));
  }
  return std::optional<Event>();
}

std::string_view SkipText(Skip why) {
  switch (why) {
    case Skip::kNone:
      return "nothing";
    case Skip::kEpoch:
      return "the voucher is not of the tab's present epoch";
    case Skip::kStale:
      return "less is charged than was charged before";
    case Skip::kOverTotal:
      return "more than the voucher covers, or a total of 2^88 or more";
    case Skip::kOverFunded:
      return "more than the tab holds";
    case Skip::kNoWork:
      return "more than the stages have proved";
    case Skip::kSignature:
      return "the signature is not the signer's";
    case Skip::kNotAdmitted:
      return "the key is not admitted for its slot";
  }
  return "unknown";
}

Result<LogEntry> LogFromJson(const Json& json) {
  if (const Json* removed = json.Find("removed");
      removed && removed->is_bool() && removed->as_bool()) {
    return Error(Code::kInvalidArgument, "log: was removed by a reorganisation");
  }
  LogEntry out;
  out.address = TT_TRY(FixedMember<20>(json, "address"));
  const Json* topics = TT_TRY(json.GetArray("topics"));
  if (topics->as_array().size() > kMaxTopics) {
    return Error(Code::kInvalidArgument, "log: more than 4 topics");
  }
  for (const Json& topic : topics->as_array()) {
    if (!topic.is_string()) return Error(Code::kInvalidArgument, "log: a topic is no string");
    out.topics.push_back(TT_TRY(FromHexFixed<32>(topic.as_string())));
  }
  const std::string data = TT_TRY(json.GetString("data"));
  out.data = TT_TRY(FromHex(data));
  out.block_number = TT_TRY(QuantityMember(json, "blockNumber"));
  out.block_hash = TT_TRY(FixedMember<32>(json, "blockHash"));
  out.tx_hash = TT_TRY(FixedMember<32>(json, "transactionHash"));
  out.log_index = TT_TRY(QuantityMember(json, "logIndex"));
  return out;
}

}  // namespace teetee::chain
