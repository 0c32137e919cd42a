namespace Holdfast.Engine.Callbacks;

/// <summary>Where a callback is on its way. Names on the wire and in the store are these in camelCase.</summary>
public enum CallbackState
{
    /// <summary>For the outcome: there is nothing to tell yet.</summary>
    Waiting,

    /// <summary>Due now, or at the time of its next attempt.</summary>
    Pending,

    /// <summary>An attempt is under way.</summary>
    Sending,

    Delivered,

    /// <summary>Given up, after the last attempt or at a refusal: for a person to look at, and to redrive.</summary>
    Parked,

    /// <summary>The receiver answered 410: it wants to hear no more of this execution.</summary>
    Disabled,
}

/// <summary>Names and classes of states.</summary>
public static class CallbackStates
{
    private static readonly string[] Names = ["waiting", "pending", "sending", "delivered", "parked", "disabled"];

    public static IReadOnlyList<string> All => Names;

    public static string Name(this CallbackState state) => Names[(int)state];

    public static bool IsSettled(this CallbackState state) => state >= CallbackState.Delivered;

    public static bool TryParse(string name, out CallbackState state)
    {
        int index = Array.IndexOf(Names, name);
        state = (CallbackState)index;
        return index >= 0;
    }
}
