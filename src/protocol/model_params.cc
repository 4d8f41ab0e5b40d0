#include "protocol/model_params.h"

#include "protocol/fields.h"

namespace teetee::protocol {

Json ModelParamsJson(const chain::Model& model) {
  Json slots = Json::MakeArray();
  for (const chain::Slot& slot : model.slots) {
    slots.Push(Json::MakeObject({{"weights", ToHex0x(slot.weights)}, {"share", slot.share}}));
  }
  return Json::MakeObject({{"manifest", ToHex0x(model.manifest)},
                           {"verifier", ToHex0x(model.verifier)},
                           {"price_in", std::to_string(model.price_in)},
                           {"price_out", std::to_string(model.price_out)},
                           {"timeout", model.timeout},
                           {"lease", model.lease},
                           {"slots", std::move(slots)}});
}

Result<chain::Model> ModelParamsFromJson(const Json& json) {
  chain::Model m;
  m.manifest = TT_TRY(GetHex<32>(json, "manifest"));
  m.verifier = TT_TRY(GetHex<20>(json, "verifier"));
  m.price_in = static_cast<uint64_t>(TT_TRY(GetWei(json, "price_in")).value());
  m.price_out = static_cast<uint64_t>(TT_TRY(GetWei(json, "price_out")).value());
  m.timeout = static_cast<uint32_t>(TT_TRY(GetBounded(json, "timeout", UINT32_MAX)));
  m.lease = static_cast<uint32_t>(TT_TRY(GetBounded(json, "lease", UINT32_MAX)));
  const Json* slots = TT_TRY(json.GetArray("slots"));
  if (slots->as_array().size() > chain::kMaxSlots) return Error(Code::kInvalidArgument, "field 'slots': too many");
  for (const Json& slot : slots->as_array()) {
    m.slots.push_back({TT_TRY(GetHex<32>(slot, "weights")),
                       static_cast<uint32_t>(TT_TRY(GetBounded(slot, "share", UINT32_MAX)))});
  }
  TT_RETURN_IF_ERROR(chain::CheckModel(m));
  return m;
}

}  // namespace teetee::protocol
