#include "protocol/plan.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/hash.h"
#include "protocol/fields.h"

namespace teetee::protocol {
namespace {

constexpr size_t kMaxChannelText = 256;  // bytes

Result<PlanNode> NodeFromJson(const Json& json) {
  PlanNode node;
  node.slot = static_cast<uint32_t>(TT_TRY(GetBounded(json, "slot", kMaxSlots - 1)));
  node.key = TT_TRY(GetHex<20>(json, "key"));
  node.channel = TT_TRY(json.GetString("channel"));
  node.boot = TT_TRY(GetHex<16>(json, "boot"));
  if (node.channel.size() > kMaxChannelText) {
    return Error(Code::kInvalidArgument, "field 'channel': too long");
  }
  return node;
}

bool Before(const PlanNode& a, const PlanNode& b) {
  return a.slot != b.slot ? a.slot < b.slot : a.key < b.key;
}

Status CheckOrder(const std::vector<PlanNode>& nodes) {
  if (nodes.empty() || nodes.size() > kMaxPlanNodes) {
    return Error(Code::kInvalidArgument, "plan: it needs 1 to 256 nodes");
  }
  if (nodes.front().slot != 0 || (nodes.size() > 1 && nodes[1].slot == 0)) {
    return Error(Code::kInvalidArgument, "plan: slot 0 needs exactly one node, the head");
  }
  for (size_t i = 1; i < nodes.size(); ++i) {
    if (!Before(nodes[i - 1], nodes[i]) || nodes[i].slot > nodes[i - 1].slot + 1) {
      return Error(Code::kInvalidArgument, "plan: nodes are not in order or a slot is missing");
    }
  }
  return Ok{};
}

}  // namespace

Result<Plan> Plan::FromJson(const Json& json) {
  Plan plan;
  plan.model = TT_TRY(GetHex<32>(json, "model"));
  plan.policy = TT_TRY(GetHex<32>(json, "policy"));
  const Json* nodes = TT_TRY(json.GetArray("nodes"));
  for (const Json& node : nodes->as_array()) {
    if (plan.nodes.size() == kMaxPlanNodes) break;
    plan.nodes.push_back(TT_TRY(NodeFromJson(node)));
  }
  TT_RETURN_IF_ERROR(CheckOrder(plan.nodes));
  return plan;
}

Json Plan::ToJson() const {
  Json list = Json::MakeArray();
  for (const PlanNode& node : nodes) {
    list.Push(Json::MakeObject(
        {{"slot", node.slot}, {"key", ToHex0x(node.key)}, {"channel", node.channel}, {"boot", ToHex(node.boot)}}));
  }
  return Json::MakeObject(
      {{"model", ToHex0x(model)}, {"nodes", std::move(list)}, {"policy", ToHex(policy)}});
}

Hash32 Plan::Hash() const { return crypto::Sha256(AsBytes(ToJson().Canonical())); }

bool Plan::Permits(uint32_t slot, const crypto::Address& key) const {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const PlanNode& n) { return n.slot == slot && n.key == key; });
}

const PlanNode& Plan::First(uint32_t slot) const {
  auto found = std::find_if(nodes.begin(), nodes.end(), [&](auto& n) { return n.slot == slot; });
  TT_CHECK(found != nodes.end());
  return *found;
}

}  // namespace teetee::protocol
