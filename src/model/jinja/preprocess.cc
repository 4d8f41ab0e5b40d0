#include "model/jinja/preprocess.h"

#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

Source WithLines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Source out{std::string(text), {}};
  out.lines.reserve(text.size());
  uint32_t line = 1;
  for (char c : text) {
    out.lines.push_back(line);
    if (c == '\n') ++line;
  }
  return out;
}

void Copy(Source& to, const Source& from, size_t begin, size_t end) {
  to.text.append(from.text, begin, end - begin);
  for (size_t i = begin; i < end; ++i) to.lines.push_back(from.lines[i]);
}

// lstrip_blocks: blanks between the start of a line and a tag go, unless the tag says `+`.
Source LstripBlocks(const Source& in) {
  Source out;
  std::string_view text = in.text;
  for (size_t i = 0; i < text.size();) {
    size_t tag = i;
    bool line_start = i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r';
    while (line_start && tag < text.size() && (text[tag] == ' ' || text[tag] == '\t')) ++tag;
    std::string_view rest = text.substr(tag);
    bool block = rest.starts_with("{#") || rest.starts_with("{-") ||
                 (rest.starts_with("{%") && !rest.starts_with("{%+"));
    if (!block) {
      size_t end = tag > i ? tag : i + 1;
      Copy(out, in, i, end);
      i = end;
      continue;
    }
    Copy(out, in, tag, tag + 1);
    i = tag + 1;
  }
  return out;
}

// trim_blocks: a line feed right after a tag goes, unless the tag says `+`.
Source TrimBlocks(const Source& in) {
  Source out;
  std::string_view text = in.text;
  for (size_t i = 0; i < text.size(); ++i) {
    bool tag = text[i] == '\n' && i >= 2 && text[i - 1] == '}' &&
               (text[i - 2] == '#' || text[i - 2] == '%' || text[i - 2] == '-');
    bool keep = tag && text[i - 2] == '%' && i >= 3 && text[i - 3] == '+';
    if (!tag || keep) Copy(out, in, i, i + 1);
  }
  return out;
}

// A {% generation %} or {% endgeneration %} tag of which begin is the position of its `{%`.
struct GenerationTag {
  size_t end = 0;  // 0: no such tag here
  bool strip_before = false;
  bool strip_after = false;
};

GenerationTag MatchGeneration(std::string_view text, size_t begin) {
  GenerationTag tag;
  auto skip = [&](size_t i) { return text.size() - TrimStart(text.substr(i)).size(); };
  size_t i = begin + 2;
  if (text.substr(i).starts_with('-')) {
    tag.strip_before = true;
    ++i;
  }
  i = skip(i);
  if (text.substr(i).starts_with("end")) i += 3;
  if (!text.substr(i).starts_with("generation")) return {};
  i = skip(i + 10);
  if (text.substr(i).starts_with('-')) {
    tag.strip_after = true;
    ++i;
  }
  if (!text.substr(i).starts_with("%}")) return {};
  tag.end = i + 2;
  return tag;
}

Source RemoveGenerationTags(const Source& in) {
  Source out;
  std::string_view text = in.text;
  size_t done = 0;  // everything before was copied or dropped
  for (size_t at = text.find("{%"); at != std::string_view::npos; at = text.find("{%", at)) {
    GenerationTag tag = MatchGeneration(text, at);
    if (tag.end == 0) {
      ++at;
      continue;
    }
    size_t end = tag.strip_before ? done + TrimEnd(text.substr(done, at - done)).size() : at;
    Copy(out, in, done, end);
    size_t after = text.size() - TrimStart(text.substr(tag.end)).size();
    if (!tag.strip_after) Copy(out, in, tag.end, after);
    done = at = after;
  }
  Copy(out, in, done, text.size());
  return out;
}

}  // namespace

Source Preprocess(std::string_view source) {
  return RemoveGenerationTags(TrimBlocks(LstripBlocks(WithLines(source))));
}

}  // namespace teetee::model::jinja
