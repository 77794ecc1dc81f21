/// Where a sample came from: enough to make it again and to see that it is the same.
public struct SampleProvenance: Codable, Sendable, Equatable {
  /// A file that was read.
  public struct File: Codable, Sendable, Equatable {
    public var path: String
    /// SHA-256 of the file's bytes as they lie on disk, in hexadecimal.
    public var sha256: String
    /// Documents in it.
    public var documents: Int

    public init(path: String, sha256: String, documents: Int) {
      self.path = path
      self.sha256 = sha256
      self.documents = documents
    }
  }

  /// A source, with what became of its documents: `documents = duplicates + empty + distinct ones`.
  public struct Source: Codable, Sendable, Equatable {
    public var patterns: [String]
    public var field: String
    public var weight: Double
    public var files: [File] = []
    /// Documents read.
    public var documents = 0
    /// Documents dropped since the same text was met before, in this source or in one before it.
    public var duplicates = 0
    /// Documents dropped for holding nothing but white space.
    public var empty = 0
    /// Documents in the sample.
    public var used = 0
    /// Tokens in the sample, end-of-text tokens included.
    public var tokens = 0

    public init(_ source: TextSource) {
      patterns = source.patterns
      field = source.field
      weight = source.weight
    }
  }

  public var seed: UInt64
  /// The tokens that were asked for; the sample holds the whole sequences among them.
  public var requestedTokens: Int
  /// The token that ends each document.
  public var endOfText: Int32
  /// The hash that identifies the tokenizer or the model that it is part of.
  public var tokenizer: String
  public var sources: [Source]

  public init(seed: UInt64, requestedTokens: Int, endOfText: Int32, tokenizer: String, sources: [Source]) {
    self.seed = seed
    self.requestedTokens = requestedTokens
    self.endOfText = endOfText
    self.tokenizer = tokenizer
    self.sources = sources
  }
}
