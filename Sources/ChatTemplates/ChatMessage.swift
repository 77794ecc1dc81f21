/// One turn of a conversation.
public struct ChatMessage: Sendable, Equatable {
  /// Who speaks, by the words that templates compare with.
  public enum Role: String, Sendable, CaseIterable {
    case system, user, assistant
  }

  public var role: Role
  public var content: String

  public init(role: Role, content: String) {
    self.role = role
    self.content = content
  }
}
