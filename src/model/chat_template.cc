#include "model/chat_template.h"

#include "model/jinja/interpreter.h"
#include "model/jinja/parser.h"
#include "model/jinja/text.h"

namespace teetee::model {
namespace {
constexpr int64_t kMaxTime = int64_t{1} << 37;  // year 6325
}

Result<ChatTemplate> ChatTemplate::Compile(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    return Error(Code::kResourceExhausted, "chat template of " + std::to_string(source.size()) +
                                               " bytes, limit " + std::to_string(kMaxTemplateBytes));
  }
  if (!jinja::IsValidUtf8(source)) return Error(Code::kInvalidArgument, "chat template is not UTF-8");
  return ChatTemplate(std::make_shared<const jinja::Program>(TT_TRY(jinja::Parse(source))));
}

Result<std::string> ChatTemplate::Render(const Json& context, int64_t now_unix,
                                         const RenderLimits& limits) const {
  if (!context.is_object()) return Error(Code::kInvalidArgument, "chat template: the context is no object");
  if (now_unix < 0 || now_unix >= kMaxTime) {
    return Error(Code::kInvalidArgument, "chat template: the time is out of range");
  }
  jinja::Interpreter interpreter(*program_, now_unix, limits);
  TT_RETURN_IF_ERROR(interpreter.SetContext(context));
  return interpreter.Run();
}

}  // namespace teetee::model
