// Whether a sanitizer is compiled in, which makes code 5 to 20 times slower: long tests take fewer
// cases then, never none.
#pragma once

namespace teetee {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace teetee
