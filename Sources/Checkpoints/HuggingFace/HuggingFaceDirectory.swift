import Foundation

/// A model directory as `save_pretrained` leaves it.
struct HuggingFaceDirectory: Sendable {
  let path: String
  let configuration: ModelConfiguration
  let shards: SafetensorsShards

  /// - Throws: ``CheckpointError``.
  init(path: String) throws(CheckpointError) {
    self.path = path
    let configurationPath = "\(path)/config.json"
    configuration = try HuggingFaceConfiguration(path: configurationPath).modelConfiguration(path: configurationPath)
    shards = try SafetensorsShards(directory: path)
  }

  /// Paths of all files that decide what the model computes, or which tokens it does it for.
  var files: [String] {
    let optional = ["chat_template.jinja", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]
    return (["config.json"] + optional.filter(exists) + shards.fileNames).map { "\(path)/\($0)" }
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
