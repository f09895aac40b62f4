# lepton_message_list(TARGET): gives the target two generated files, made from what stands in
# schemas/*.hpp, so that no list of messages is written by hand:
#   headers.inc    #include of every schema header
#   messages.inc   LEPTON_MESSAGE(Name) for whatever a header declares complete

set(LEPTON_MESSAGE_FOLDER ${CMAKE_BINARY_DIR}/messages)
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schemas/*.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
set(messages "")
set(includes "")
foreach(header ${headers})
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${header})
  string(APPEND includes "#include \"${name}\"\n")
  file(STRINGS ${header} lines REGEX "^static_assert\\(schema::complete<[A-Za-z]+>\\(\\)\\);$")
  foreach(line ${lines})
    string(REGEX REPLACE ".*<([A-Za-z]+)>.*" "LEPTON_MESSAGE(\\1)\n" entry "${line}")
    string(APPEND messages "${entry}")
  endforeach()
endforeach()
file(CONFIGURE OUTPUT ${LEPTON_MESSAGE_FOLDER}/messages.inc CONTENT "${messages}" @ONLY)
file(CONFIGURE OUTPUT ${LEPTON_MESSAGE_FOLDER}/headers.inc CONTENT "${includes}" @ONLY)

function(lepton_message_list target)
  target_include_directories(${target} PRIVATE ${LEPTON_MESSAGE_FOLDER})
endfunction()
