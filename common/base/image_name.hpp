#pragma once
// Names of container images: [registry/]name[:tag][@digest], by the grammar of Docker's references
// in short. What could be an option, a path of files or a query is refused. Pure.

#include <string_view>

namespace lepton {

bool is_image(std::string_view name);

}  // namespace lepton
