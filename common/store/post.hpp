#pragma once
// How a store hands an answer to the thread of the actor runtime. Must be callable from any thread.

#include <functional>

namespace lepton::store {

using Post = std::function<void(std::function<void()>)>;

}  // namespace lepton::store
