import Foundation
import Tokenizers

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

  /// Paths of all files that decide what the model computes.
  var files: [String] {
    let optional = ["generation_config.json", "tokenizer.json", "tokenizer_config.json"].filter {
      FileManager.default.fileExists(atPath: "\(path)/\($0)")
    }
    return (["config.json"] + optional + shards.fileNames).map { "\(path)/\($0)" }
  }
}
