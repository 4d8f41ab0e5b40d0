// Chat templates: a bounded subset of Jinja that turns messages into the prompt text of a model. It renders what @huggingface/jinja
// renders (npm, version in tests/templates/package.json), with that library's departures from Python: strip, lstrip and rstrip
// ignore their argument, a variable set in a loop body lives on in the next round, truth values print in lower case. Beyond that
// library it knows select, reject, round, dict, tests with arguments and `+` in tags. Not supported, and refused by name: call
// blocks, recursive loops, imports and inheritance.
//
// A template is foreign (it comes with the model file) and so is the context (it comes with the request). Neither can hang or
// exhaust the process: source size, nesting, steps, bytes copied or scanned and the size of every string are bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace teetee::model {

inline constexpr size_t kMaxTemplateBytes = 256u << 10;

namespace jinja {
struct Program;
}

struct RenderLimits {
  size_t max_output_bytes = 8u << 20;   // of the result and of every string made on the way
  uint64_t max_steps = 4'000'000;       // evaluated nodes and loop rounds
  uint64_t max_work_bytes = 64u << 20;  // bytes copied or scanned in all; bounds memory too
};

// A compiled template. Immutable: copies share it, and any number of threads may render at once.
class ChatTemplate {
 public:
  // Errors: kInvalidArgument with the line (syntax, unsupported, not UTF-8); kResourceExhausted (size, nesting).
  static Result<ChatTemplate> Compile(std::string_view source);

  // context: an object whose members are the template's variables (messages, tools, add_generation_prompt, bos_token, eos_token,
  // documents, ...). now_unix: the time that strftime_now formats, seconds UTC. The same inputs give the same text.
  // The deepest template that the limits allow takes less than 1 MiB of stack (8 MiB under sanitizers).
  // Errors: kInvalidArgument with the line (the template refuses the conversation with raise_exception, or cannot be applied to
  // it); kResourceExhausted when a limit is reached. Messages may hold words of the template, never of the context.
  Result<std::string> Render(const Json& context, int64_t now_unix, const RenderLimits& limits = {}) const;

 private:
  explicit ChatTemplate(std::shared_ptr<const jinja::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const jinja::Program> program_;
};

}  // namespace teetee::model
