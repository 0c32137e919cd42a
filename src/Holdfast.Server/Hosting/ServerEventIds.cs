namespace Holdfast.Server.Hosting;

/// <summary>Log event ids of the server's doors: from 2000.</summary>
internal static class ServerEventIds
{
    public const int Unexpected = 2000;
    public const int Listens = 2001;
    public const int Stopped = 2002;
    public const int NotAnnounced = 2003;

    // Who may come in: 2010.
    public const int TooManyFailures = 2010;
    public const int DeedNotRecorded = 2011;
    public const int CertificateReloaded = 2012;
    public const int CertificateNotReloaded = 2013;
    public const int SpeaksInClear = 2014;
    public const int CertificateExpires = 2015;

    // Channels: 2100.
    public const int ChannelsRefused = 2100;
    public const int ChannelsNoChannel = 2101;
    public const int ChannelsNotSent = 2102;
    public const int ChannelsFailed = 2103;
}
